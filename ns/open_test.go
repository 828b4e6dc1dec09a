// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

func TestOpenEveryType(t *testing.T) {
	types := ns.All
	if _, err := os.Stat("/proc/self/ns/time"); err != nil {
		types &^= ns.Time
	}
	for typ := range types.Each() {
		t.Run(typ.String(), func(t *testing.T) {
			path := "/proc/self/ns/" + typ.String()
			link, err := os.Readlink(path)
			require.NoError(t, err)
			id, parsed, err := ns.ParseID(link)
			require.NoError(t, err)
			require.Equal(t, typ, parsed)

			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			for way, open := range map[string]func() (*ns.Handle, error){
				"Open":       func() (*ns.Handle, error) { return ns.Open(path) },
				"OpenPID":    func() (*ns.Handle, error) { return ns.OpenPID(os.Getpid(), typ) },
				"OpenThread": func() (*ns.Handle, error) { return ns.OpenThread(os.Getpid(), os.Getpid(), typ) },
				"Current":    func() (*ns.Handle, error) { return ns.Current(typ) },
				"FromFile":   func() (*ns.Handle, error) { return ns.FromFile(f) },
				"FromPIDFD":  func() (*ns.Handle, error) { return ns.FromPIDFD(selfPIDFD(t), typ) },
			} {
				h := must(open())(t)
				require.Equal(t, id, h.ID(), way)
				require.Equal(t, typ, h.Type(), way)
				require.Equal(t, link, h.String(), way)
				again := must(ns.Open(h.File().Name()))(t)
				require.Equal(t, id, again.ID(), "%s: the name %s leads elsewhere", way, h.File().Name())
			}
		})
	}
}

func selfPIDFD(t testing.TB) *os.File {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "pidfd")
	t.Cleanup(func() { f.Close() })
	return f
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	fifo, file, dangling := filepath.Join(dir, "fifo"), filepath.Join(dir, "file"), filepath.Join(dir, "dangling")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink("nowhere", dangling))
	for path, want := range map[string]error{
		fifo: ns.ErrNotNamespace, file: ns.ErrNotNamespace, dir: ns.ErrNotNamespace,
		"/dev/zero": ns.ErrNotNamespace, "/dev/tty": ns.ErrNotNamespace, "/proc/self/status": ns.ErrNotNamespace,
		dangling: fs.ErrNotExist, filepath.Join(dir, "none"): fs.ErrNotExist, "": unix.ENOENT,
	} {
		h, err := ns.Open(path)
		require.Nil(t, h, path)
		require.ErrorIs(t, err, want, path)
		var typed *ns.Error
		require.ErrorAs(t, err, &typed)
		require.Equal(t, path, typed.Ref)
		require.Equal(t, "open", typed.Op)
	}
	_, err := ns.Open("/proc/self/status")
	require.EqualError(t, err, "ns: open /proc/self/status: not a namespace")
}

func TestOpenPIDRefuses(t *testing.T) {
	for _, pid := range []int{-1, 0, 1 << 30} {
		_, err := ns.OpenPID(pid, ns.Net)
		require.ErrorIs(t, err, unix.ESRCH, pid)
	}
	_, err := ns.OpenPID(os.Getpid(), ns.Net|ns.UTS)
	require.ErrorIs(t, err, ns.ErrNotOneType)
	_, err = ns.OpenThread(os.Getpid(), 1<<30, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH)
	_, err = ns.Current(0)
	require.ErrorIs(t, err, ns.ErrNotOneType)
}

func TestOpenPIDOfZombie(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	require.NoError(t, unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	for typ := range ns.All.Each() {
		_, err := ns.OpenPID(cmd.Process.Pid, typ)
		require.ErrorIs(t, err, unix.ESRCH, typ)
		_, err = ns.OpenThread(cmd.Process.Pid, cmd.Process.Pid, typ)
		require.ErrorIs(t, err, unix.ESRCH, typ)
	}
	require.NoError(t, cmd.Wait())
	_, err := ns.OpenPID(cmd.Process.Pid, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH)
}

func TestHandleClosed(t *testing.T) {
	var zero ns.Handle
	closed, err := ns.Current(ns.Net)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	for _, h := range []*ns.Handle{nil, &zero, closed} {
		require.NoError(t, h.Close())
		require.NoError(t, h.Close())
		for _, err := range []error{
			second(h.Owner()), second(h.Parent()), second(h.OwnerUID()), ns.Do(func() error { return nil }, h), ns.Enter(h),
		} {
			require.ErrorIs(t, err, os.ErrClosed)
		}
	}
	require.Equal(t, "closed", zero.String())
	require.Zero(t, zero.ID())
	require.Nil(t, zero.File())
	require.NotZero(t, closed.ID())
}

func TestHandleConcurrentUse(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := target(t, fixture.Spec{Net: true}, ns.Net)[0]
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := ns.Do(func() error { return second(h.OwnerUID()) }, h)
			if err != nil {
				require.ErrorIs(t, err, os.ErrClosed)
			}
		})
	}
	require.NoError(t, h.Close())
	wg.Wait()
	requireHome(t)
}
