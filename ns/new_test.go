// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// newSet makes namespaces that end with the test.
func newSet(t testing.TB, s ns.Spec) *ns.Set {
	t.Helper()
	set, err := ns.New(s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, set.Close()) })
	return set
}

func TestNewEverySubset(t *testing.T) {
	fixture.Need(t, fixture.Root)
	for types := range subsets() {
		set, err := ns.New(ns.Spec{Types: types})
		require.NoError(t, err, types)
		require.Len(t, set.Handles(), types.Len(), types)
		for _, h := range set.Handles() {
			require.True(t, types.Has(h.Type()))
			require.NotEqual(t, here(t, h.Type()), h.ID(), h)
			if owner := set.Handle(ns.User); owner != nil && h.Type() != ns.User {
				require.Equal(t, owner.ID(), must(h.Owner())(t).ID(), "owner of %v in %v", h, types)
			}
		}
		require.Equal(t, types.Has(ns.PID), set.Init() != 0)
		require.NoError(t, set.Close())
		require.NoError(t, set.Close())
	}
	requireHome(t)
}

// subsets yields all sets of types but the empty one.
func subsets() func(func(ns.Type) bool) {
	var all []ns.Type
	for typ := range ns.All.Each() {
		all = append(all, typ)
	}
	return func(yield func(ns.Type) bool) {
		for bits := 1; bits < 1<<len(all); bits++ {
			var set ns.Type
			for i, typ := range all {
				if bits>>i&1 == 1 {
					set |= typ
				}
			}
			if !yield(set) {
				return
			}
		}
	}
}

func TestNewUserNeedsNoPrivilege(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	set := newSet(t, ns.Spec{Types: ns.All, Monotonic: time.Hour})
	uid, err := set.Handle(ns.User).OwnerUID()
	require.NoError(t, err)
	require.Equal(t, os.Geteuid(), uid)
	require.Equal(t, here(t, ns.User), must(set.Handle(ns.User).Parent())(t).ID())
}

func TestNewPIDLivesUntilClose(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.PID})
	require.NoError(t, unix.Kill(set.Init(), 0))
	pid := set.Handle(ns.PID)
	start := func() *exec.Cmd {
		cmd, err := ns.Call(func() (*exec.Cmd, error) {
			cmd := exec.Command("sh", "-c", "echo $$; exec sleep 3600")
			return cmd, cmd.Start()
		}, pid)
		require.NoError(t, err)
		return cmd
	}
	cmd := start()
	out, err := ns.Call(func() ([]byte, error) { return exec.Command("sh", "-c", "echo $$").Output() }, pid)
	require.NoError(t, err)
	require.Equal(t, "3\n", string(out))
	require.NoError(t, set.Close())
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	requireHome(t)
}

func TestNewPIDReapsOrphans(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.PID})
	require.NoError(t, ns.Do(func() error {
		return exec.Command("sh", "-c", "(exec true) & (exec true) &").Run()
	}, set.Handle(ns.PID)))
	children := "/proc/" + strconv.Itoa(set.Init()) + "/task/" + strconv.Itoa(set.Init()) + "/children"
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(children)
		return err == nil && len(b) == 0
	}, 10*time.Second, time.Millisecond)
}

func TestNewKeeperKeepsNothingElse(t *testing.T) {
	fixture.Need(t, fixture.Root)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	_, err = unix.FcntlInt(w.Fd(), unix.F_SETFD, 0) // a descriptor that execve leaves open
	require.NoError(t, err)
	set := newSet(t, ns.Spec{Types: ns.PID})
	fds, err := os.ReadDir("/proc/" + strconv.Itoa(set.Init()) + "/fd")
	require.NoError(t, err)
	require.Len(t, fds, 1)
}

func TestNewIDMaps(t *testing.T) {
	fixture.Need(t, fixture.Root)
	maps := []ns.IDMap{{Inside: 0, Outside: os.Geteuid(), Size: 1}}
	set := newSet(t, ns.Spec{Types: ns.User | ns.PID, UIDMap: maps, GIDMap: maps})
	b, err := os.ReadFile("/proc/" + strconv.Itoa(set.Init()) + "/uid_map")
	require.NoError(t, err)
	require.Equal(t, []string{"0", strconv.Itoa(os.Geteuid()), "1"}, strings.Fields(string(b)))
	_, err = ns.New(ns.Spec{Types: ns.Net, UIDMap: maps})
	require.ErrorIs(t, err, unix.EINVAL)
}

func TestNewTimeOffsets(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.Program("nsenter", "cat"))
	for name, types := range map[string]ns.Type{"by thread": ns.Time, "by child": ns.Time | ns.PID, "owned": ns.Time | ns.User} {
		t.Run(name, func(t *testing.T) {
			set := newSet(t, ns.Spec{Types: types, Monotonic: 5000*time.Second + 1, Boottime: -time.Millisecond})
			cmd := exec.Command("nsenter", "--time=/proc/self/fd/3", "cat", "/proc/self/timens_offsets")
			cmd.ExtraFiles = []*os.File{set.Handle(ns.Time).File()}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Equal(t, []string{"monotonic", "5000", "1", "boottime", "-1", "999000000"}, strings.Fields(string(out)))
		})
	}
	_, err := ns.New(ns.Spec{Types: ns.Time, Boottime: -time.Hour * 24 * 365 * 100})
	require.ErrorIs(t, err, unix.ERANGE)
}

func TestNewRefuses(t *testing.T) {
	set, err := ns.New(ns.Spec{})
	require.NoError(t, err)
	require.Empty(t, set.Handles())
	require.NoError(t, set.Close())
	for _, s := range []ns.Spec{{Types: 1}, {Types: ns.Net, Monotonic: 1}} {
		_, err = ns.New(s)
		require.ErrorIs(t, err, unix.EINVAL)
	}
	require.NoError(t, new(ns.Set).Close())
	require.Nil(t, new(ns.Set).Handle(ns.Net))
}
