// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// privately runs f in a mount namespace of its own, with an empty /run.
func privately(t *testing.T, f func()) {
	t.Helper()
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Mount})
	require.NoError(t, ns.Do(func() error {
		require.NoError(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
		f()
		return nil
	}, set.Handle(ns.Mount)))
	requireHome(t)
}

func TestPinEveryType(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.All})
	privately(t, func() {
		for _, h := range set.Handles() {
			path := filepath.Join("/run", h.Type().String())
			if h.Type() == ns.Mount {
				continue // TestPinMountNamespace
			}
			require.NoError(t, h.Pin(path))
			require.Equal(t, h.ID(), must(ns.Open(path))(t).ID())
			require.NoError(t, ns.Unpin(path))
			require.NoFileExists(t, path)
		}
	})
}

func TestPinOutlivesHandle(t *testing.T) {
	privately(t, func() {
		const path = "/run/net"
		set, err := ns.New(ns.Spec{Types: ns.Net})
		require.NoError(t, err)
		require.NoError(t, set.Handle(ns.Net).Pin(path))
		id := set.Handle(ns.Net).ID()
		require.NoError(t, set.Close())
		require.NoError(t, ns.Do(func() error {
			require.Equal(t, id, here(t, ns.Net))
			return nil
		}, must(ns.Open(path))(t)))
		require.NoError(t, ns.Unpin(path))
	})
}

func TestPinExisting(t *testing.T) {
	privately(t, func() {
		h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
		require.NoError(t, h.Pin("/run/taken"))
		require.NoError(t, os.WriteFile("/run/file", []byte("x"), 0o400))
		require.NoError(t, os.WriteFile("/run/zero", nil, 0o644))
		require.NoError(t, os.Mkdir("/run/dir", 0o755))
		require.NoError(t, os.Symlink("/run/zero", "/run/link"))
		require.NoError(t, unix.Mkfifo("/run/fifo", 0o400))
		for _, name := range []string{"taken", "file", "zero", "dir", "link", "fifo"} {
			path := "/run/" + name
			err := h.Pin(path)
			require.ErrorIs(t, err, fs.ErrExist, name)
			require.ErrorContains(t, err, "ns: pin "+path+": ")
			if name != "taken" {
				require.ErrorIs(t, ns.Unpin(path), ns.ErrNotNamespace, name)
			}
			_, err = os.Lstat(path)
			require.NoError(t, err)
		}
		require.ErrorIs(t, ns.Unpin("/proc/self/ns/net"), ns.ErrNotNamespace)
		require.ErrorIs(t, ns.Unpin("/run/none"), fs.ErrNotExist)
		require.ErrorIs(t, h.Pin("/run/none/net"), fs.ErrNotExist)
		require.NoError(t, ns.Unpin("/run/taken"))
	})
}

// A Pin that is killed leaves an empty file of mode 0400, without a lock.
func TestPinKilledHalfWay(t *testing.T) {
	privately(t, func() {
		h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
		const path = "/run/net"
		require.NoError(t, os.WriteFile(path, nil, 0o400))
		require.NoError(t, h.Pin(path))
		require.NoError(t, ns.Unpin(path))

		require.NoError(t, os.WriteFile(path, nil, 0o400))
		require.NoError(t, ns.Unpin(path))
		require.NoFileExists(t, path)

		busy, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o400)
		require.NoError(t, err)
		defer busy.Close()
		require.NoError(t, unix.Flock(int(busy.Fd()), unix.LOCK_EX))
		require.ErrorIs(t, h.Pin(path), fs.ErrExist, "another Pin is at work")
		require.ErrorIs(t, ns.Unpin(path), unix.EWOULDBLOCK)
	})
}

func TestPinFailsWithoutLitter(t *testing.T) {
	privately(t, func() {
		itself := must(ns.Current(ns.Mount))(t)
		require.ErrorIs(t, itself.Pin("/run/mnt"), unix.EINVAL)
		require.NoFileExists(t, "/run/mnt")
	})
}

// The kernel lets a mount namespace be pinned in an older one, and tells which that is by numbers that
// Linux 6.18 hands out to each processor in batches: so not every new one counts as newer.
func TestPinMountNamespace(t *testing.T) {
	privately(t, func() {
		for range 1000 {
			h := newSet(t, ns.Spec{Types: ns.Mount}).Handle(ns.Mount)
			if err := h.Pin("/run/mnt"); err != nil {
				require.ErrorIs(t, err, unix.EINVAL)
				require.NoFileExists(t, "/run/mnt")
				continue
			}
			require.Equal(t, h.ID(), must(ns.Open("/run/mnt"))(t).ID())
			require.NoError(t, ns.Unpin("/run/mnt"))
			return
		}
		require.Fail(t, "no new mount namespace counts as newer")
	})
}

func TestPinNamedAsIPNetnsDoes(t *testing.T) {
	fixture.Need(t, fixture.Program("ip"))
	privately(t, func() {
		ip := func(arg ...string) string {
			out, err := exec.Command("ip", append([]string{"netns"}, arg...)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			return strings.TrimSpace(string(out))
		}
		h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
		require.NoError(t, h.Pin(ns.RunNetns+"/blue"))
		require.Equal(t, "blue", ip("list"))
		require.Equal(t, h.String(), ip("exec", "blue", "readlink", "/proc/self/ns/net"))
		ip("add", "red")
		require.Equal(t, ip("exec", "red", "readlink", "/proc/self/ns/net"), must(ns.OpenNamed("red"))(t).String())
		name, err := ns.Call(func() (string, error) {
			out, err := exec.Command("sh", "-c", "ip netns identify $$").CombinedOutput()
			return strings.TrimSpace(string(out)), err
		}, h)
		require.NoError(t, err)
		require.Equal(t, "blue", name)
		ip("delete", "blue")
		_, err = ns.OpenNamed("blue")
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, ns.Unpin(ns.RunNetns+"/red"))
		require.Empty(t, ip("list"))
		mounts, err := os.ReadFile("/proc/thread-self/mountinfo")
		require.NoError(t, err)
		require.Regexp(t, ` /run/netns [^\n]* shared:`, string(mounts))
	})
	for _, name := range []string{"", ".", "..", "a/b", "../blue", "a\x00b"} {
		_, err := ns.OpenNamed(name)
		require.ErrorIs(t, err, unix.EINVAL, "%q", name)
	}
}
