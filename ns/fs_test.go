// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// eachFS runs f on the files of a new mount namespace, once for each way to resolve names. furnish
// runs inside, with an empty tmpfs as root directory of the tree under test, /mnt.
func eachFS(t *testing.T, furnish func(root string), f func(t *testing.T, tree *ns.FS)) {
	t.Helper()
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Mount})
	mnt := set.Handle(ns.Mount)
	require.NoError(t, ns.Do(func() error {
		require.NoError(t, unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""))
		require.NoError(t, os.Mkdir("/mnt/old", 0o755))
		furnish("/mnt")
		require.NoError(t, os.Chdir("/"))
		return unix.PivotRoot("/mnt", "/mnt/old")
	}, mnt))
	requireHome(t)
	for _, how := range []string{"openat2", "stepwise"} {
		t.Run(how, func(t *testing.T) {
			tree, err := mnt.FS()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, tree.Close()) })
			if how == "stepwise" {
				tree.WithoutOpenat2()
			}
			f(t, tree)
		})
	}
}

func write(path, data string) {
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		panic(err)
	}
}

func symlink(text, path string) {
	if err := os.Symlink(text, path); err != nil {
		panic(err)
	}
}

func TestFSIsAFileSystem(t *testing.T) {
	eachFS(t, func(root string) {
		require.NoError(t, os.MkdirAll(root+"/etc/deep/er", 0o755))
		write(root+"/etc/hostname", "inside\n")
		write(root+"/etc/deep/er/file", strings.Repeat("x", 100_000))
		write(root+"/empty", "")
		symlink("/etc/hostname", root+"/absolute")
		symlink("etc/../etc/./hostname", root+"/relative")
		symlink("/etc", root+"/dir")
	}, func(t *testing.T, tree *ns.FS) {
		sub, err := fs.Sub(tree, "etc")
		require.NoError(t, err)
		require.NoError(t, fstest.TestFS(sub, "hostname", "deep/er/file"))
		for _, name := range []string{"absolute", "relative", "etc/hostname", "dir/hostname"} {
			data, err := tree.ReadFile(name)
			require.NoError(t, err, name)
			require.Equal(t, "inside\n", string(data), name)
		}
		text, err := tree.ReadLink("absolute")
		require.NoError(t, err)
		require.Equal(t, "/etc/hostname", text)
		info, err := tree.Lstat("absolute")
		require.NoError(t, err)
		require.Equal(t, fs.ModeSymlink, info.Mode().Type())
		_, err = tree.ReadLink("etc/hostname")
		require.ErrorIs(t, err, unix.EINVAL)
		_, err = tree.ReadFile("etc")
		require.ErrorIs(t, err, unix.EISDIR)
		_, err = tree.ReadDir("empty")
		require.ErrorIs(t, err, unix.ENOTDIR)
		_, err = tree.Stat("none/file")
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = tree.Open("/etc")
		require.ErrorIs(t, err, fs.ErrInvalid)
		file, err := tree.Open("etc/hostname")
		require.NoError(t, err)
		b := make([]byte, 4)
		n, err := file.(io.ReaderAt).ReadAt(b, 5)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, "e\n", string(b[:n]))
		require.NoError(t, file.Close())
		_, err = file.Stat()
		require.ErrorIs(t, err, os.ErrClosed)
	})
}

func TestFSPassesTestFS(t *testing.T) {
	eachFS(t, func(root string) {
		require.NoError(t, os.Mkdir(root+"/a", 0o755))
		write(root+"/a/file", "x")
		symlink("/a/file", root+"/link")
		require.NoError(t, os.Chmod(root+"/old", 0o755))
	}, func(t *testing.T, tree *ns.FS) {
		a, err := fs.Sub(tree, "a")
		require.NoError(t, err)
		require.NoError(t, fstest.TestFS(a, "file"))
	})
}

func TestFSNeverEscapes(t *testing.T) {
	outside := t.TempDir() + "/secret"
	write(outside, "outside")
	eachFS(t, func(root string) {
		require.NoError(t, os.MkdirAll(root+"/a/b", 0o755))
		require.NoError(t, os.Mkdir(root+"/proc", 0o755))
		require.NoError(t, unix.Mount("/proc", root+"/proc", "", unix.MS_BIND|unix.MS_REC, ""))
		up := strings.Repeat("../", 60)
		symlink(up+outside[1:], root+"/up")
		symlink(outside, root+"/absolute")
		symlink("../../../"+up+outside, root+"/a/b/up")
		symlink("loop", root+"/loop")
		symlink("ping", root+"/pong")
		symlink("pong", root+"/ping")
		symlink("/loop/file", root+"/into-loop")
		symlink("/proc/self/root"+outside, root+"/magic")
		symlink("/proc/self/cwd", root+"/cwd")
	}, func(t *testing.T, tree *ns.FS) {
		for _, name := range []string{
			"up", "absolute", "a/b/up", "magic", "proc/self/root" + outside, "proc/1/root" + outside,
			"loop", "ping", "into-loop", "cwd" + outside,
		} {
			data, err := tree.ReadFile(name)
			require.Error(t, err, name)
			require.Empty(t, data, name)
		}
		for _, name := range []string{"loop", "ping", "into-loop"} {
			_, err := tree.Stat(name)
			require.ErrorIs(t, err, unix.ELOOP, name)
		}
	})
}

func TestFSNeverHangs(t *testing.T) {
	eachFS(t, func(root string) {
		require.NoError(t, unix.Mkfifo(root+"/fifo", 0o644))
		write(root+"/tty", "")
		require.NoError(t, unix.Mount("/dev/tty", root+"/tty", "", unix.MS_BIND, ""))
		symlink("fifo", root+"/to-fifo")
		require.NoError(t, os.Mkdir(root+"/proc", 0o755))
		require.NoError(t, unix.Mount("/proc", root+"/proc", "", unix.MS_BIND|unix.MS_REC, ""))
	}, func(t *testing.T, tree *ns.FS) {
		for _, name := range []string{"fifo", "to-fifo", "tty"} {
			info, err := tree.Stat(name)
			require.NoError(t, err)
			require.NotZero(t, info.Mode().Type())
			_, err = tree.ReadFile(name)
			require.ErrorIs(t, err, unix.ENODEV, name)
			file, err := tree.Open(name)
			require.NoError(t, err)
			again, err := file.Stat()
			require.NoError(t, err)
			require.Equal(t, info.Mode(), again.Mode())
			require.NoError(t, file.Close())
		}
		// A regular file to stat(2), whose read(2) would wait for the next message of the kernel.
		if file, err := tree.Open("proc/kmsg"); err == nil {
			for err == nil {
				_, err = file.Read(make([]byte, 1<<16))
			}
			require.NoError(t, file.Close())
		}
	})
}

func TestFSSeesLaterMounts(t *testing.T) {
	fixture.Need(t, fixture.Root)
	mnt := newSet(t, ns.Spec{Types: ns.Mount}).Handle(ns.Mount)
	tree, err := mnt.FS()
	require.NoError(t, err)
	defer tree.Close()
	_, err = tree.Stat("mnt/new")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, ns.Do(func() error {
		require.NoError(t, unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""))
		return os.WriteFile("/mnt/new", []byte("here"), 0o600)
	}, mnt))
	data, err := tree.ReadFile("mnt/new")
	require.NoError(t, err)
	require.Equal(t, "here", string(data))
	require.NoFileExists(t, "/mnt/new")
}

func TestFSConcurrentUseAndClose(t *testing.T) {
	fixture.Need(t, fixture.Root)
	mnt := newSet(t, ns.Spec{Types: ns.Mount}).Handle(ns.Mount)
	tree, err := mnt.FS()
	require.NoError(t, err)
	require.NoError(t, mnt.Close())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			list, err := tree.ReadDir("proc/self/ns") // below another mount
			assert.NoError(t, err)
			assert.NotEmpty(t, list)
		})
	}
	wg.Wait()
	require.NoError(t, tree.Close())
	require.NoError(t, tree.Close())
	for _, err := range []error{
		second(tree.Open(".")), second(tree.Stat(".")), second(tree.Lstat(".")),
		second(tree.ReadLink("x")), second(tree.ReadDir(".")), second(tree.ReadFile("x")),
		second(new(ns.FS).Open(".")), second(new(ns.FS).Stat(".")),
	} {
		require.ErrorIs(t, err, os.ErrClosed)
	}
	require.NoError(t, new(ns.FS).Close())
}

func TestFSRefusesOtherTypes(t *testing.T) {
	_, err := must(ns.Current(ns.Net))(t).FS()
	require.ErrorIs(t, err, unix.EINVAL)
	_, err = new(ns.Handle).FS()
	require.ErrorIs(t, err, os.ErrClosed)
}
