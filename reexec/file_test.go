// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// shelf holds files in every way that a value can.
type shelf struct {
	One   reexec.File
	Ptr   *reexec.File
	None  reexec.File
	List  []reexec.File
	Named map[string]reexec.File
	Inner struct{ Two [2]reexec.File }
	Text  []string
}

func (s *shelf) all() (fs []*os.File) {
	fs = append(fs, s.One.File)
	if s.Ptr != nil {
		fs = append(fs, s.Ptr.File)
	}
	for _, f := range s.List {
		fs = append(fs, f.File)
	}
	for _, key := range []string{"a", "b"} {
		if f, ok := s.Named[key]; ok {
			fs = append(fs, f.File)
		}
	}
	fs = append(fs, s.Inner.Two[0].File, s.Inner.Two[1].File)
	return slices.DeleteFunc(fs, func(f *os.File) bool { return f == nil })
}

var (
	openFile = reexec.Register("open file", func(_ context.Context, path string) (reexec.File, error) {
		f, err := os.Open(path)
		return reexec.File{File: f}, err
	})
	openMany = reexec.Register("open many", func(_ context.Context, n int) ([]reexec.File, error) {
		files := make([]reexec.File, n)
		for i := range files {
			fd, err := unix.MemfdCreate(fmt.Sprint(i), 0)
			if err != nil {
				return nil, err
			}
			files[i].File = os.NewFile(uintptr(fd), fmt.Sprint(i))
			fmt.Fprint(files[i], i)
		}
		return files, nil
	})
	readShelf = reexec.Register("read shelf", func(_ context.Context, in shelf) (out shelf, err error) {
		for _, f := range in.all() {
			b, err := io.ReadAll(f)
			if err != nil {
				return out, err
			}
			out.Text = append(out.Text, string(b))
		}
		in.Text = out.Text
		return in, nil // the same files, on their way back
	})
	openSockets = reexec.Register("open sockets", func(context.Context, struct{}) ([]reexec.File, error) {
		var files []reexec.File
		for _, domain := range [][3]int{{unix.AF_INET, unix.SOCK_STREAM, 0}, {unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE}} {
			fd, err := unix.Socket(domain[0], domain[1]|unix.SOCK_CLOEXEC, domain[2])
			if err != nil {
				return nil, err
			}
			files = append(files, reexec.File{File: os.NewFile(uintptr(fd), "socket")})
		}
		pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
		return append(files, reexec.File{File: os.NewFile(uintptr(pidfd), "pidfd")}), err
	})
	fileAndChan = reexec.Register("file and chan", func(context.Context, struct{}) (out struct {
		F reexec.File
		C chan int
	}, err error,
	) {
		out.F.File, err = os.Open("/dev/null")
		out.C = make(chan int)
		return out, err
	})
)

func TestFileInResult(t *testing.T) {
	path := filepath.Join(t.TempDir(), "planted")
	require.NoError(t, os.WriteFile(path, []byte("hello"), 0o644))
	f, err := openFile.Call(bg(), nil, path)
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, path, f.Name())
	b, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "hello", string(b))
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.Equal(t, unix.FD_CLOEXEC, flags)
	_, err = openFile.Call(bg(), nil, "/nonexistent")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestManyFiles(t *testing.T) {
	const n = 600 // more than the kernel takes at once
	files, err := openMany.Call(bg(), nil, n)
	require.NoError(t, err)
	require.Len(t, files, n)
	for i, f := range files {
		b := make([]byte, 8)
		k, err := f.ReadAt(b, 0)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, fmt.Sprint(i), string(b[:k]))
		require.NoError(t, f.Close())
	}
}

func TestFilesEverywhereBothWays(t *testing.T) {
	for name, on := range map[string]reexec.Runner{"process": nil, "here": reexec.InProcess()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var opened []*os.File
			file := func(text string) reexec.File {
				path := filepath.Join(dir, text)
				require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
				f, err := os.Open(path)
				require.NoError(t, err)
				opened = append(opened, f)
				return reexec.File{File: f}
			}
			ptr := file("ptr")
			in := shelf{
				One: file("one"), Ptr: &ptr, List: []reexec.File{file("l0"), file("l1")},
				Named: map[string]reexec.File{"a": file("a"), "b": file("b")},
			}
			in.Inner.Two = [2]reexec.File{file("t0"), in.One} // one file twice
			out, err := readShelf.Call(bg(), on, in)
			require.NoError(t, err)
			require.Equal(t, []string{"one", "ptr", "l0", "l1", "a", "b", "t0", ""}, out.Text)
			require.Nil(t, out.None.File)
			for i, f := range out.all() {
				_, err := f.Seek(0, io.SeekStart)
				require.NoError(t, err)
				b, err := io.ReadAll(f)
				require.NoError(t, err)
				require.True(t, strings.HasSuffix(f.Name(), string(b)), "%d: %s holds %q", i, f.Name(), b)
				require.NoError(t, f.Close())
			}
			for _, f := range opened {
				require.NoError(t, f.Close(), "the caller's own stay open")
			}
		})
	}
}

func TestSocketsAndPidfdCross(t *testing.T) {
	files, err := openSockets.Call(bg(), nil, struct{}{})
	require.NoError(t, err)
	for i, domain := range []int{unix.AF_INET, unix.AF_NETLINK} {
		got, err := unix.GetsockoptInt(int(files[i].Fd()), unix.SOL_SOCKET, unix.SO_DOMAIN)
		require.NoError(t, err)
		require.Equal(t, domain, got)
	}
	require.ErrorIs(t, unix.PidfdSendSignal(int(files[2].Fd()), 0, nil, 0), unix.ESRCH, "a pidfd of the worker, which has ended")
	for _, f := range files {
		require.NoError(t, f.Close())
	}
}

func TestFilesOfAFailedCallAreClosed(t *testing.T) {
	// fixture.Main counts what is open at the end; this counts at once.
	before := countFDs(t)
	_, err := fileAndChan.Call(bg(), nil, struct{}{})
	require.ErrorContains(t, err, "chan int")
	_, err = fileAndChan.Call(bg(), reexec.InProcess(), struct{}{})
	require.ErrorContains(t, err, "chan int")
	f, err := os.Open("/dev/null")
	require.NoError(t, err)
	defer f.Close()
	_, err = readShelf.Call(bg(), &reexec.Process{Starter: startError{unix.EPERM}}, shelf{One: reexec.File{File: f}})
	require.ErrorIs(t, err, unix.EPERM)
	require.NoError(t, f.Close())
	_, err = readShelf.Call(bg(), nil, shelf{One: reexec.File{File: f}})
	require.ErrorIs(t, err, os.ErrClosed)
	require.Eventually(t, func() bool { return countFDs(t) <= before }, time.Minute, time.Millisecond)
}

func countFDs(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}
