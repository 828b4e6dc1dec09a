// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	chownBit   = 1 << unix.CAP_CHOWN
	netBindBit = 1 << unix.CAP_NET_BIND_SERVICE
	adminBit   = 1 << unix.CAP_SYS_ADMIN
)

func mask(bits uint64) string { return fmt.Sprintf("%016x", bits) }

func TestSetCaps(t *testing.T) {
	target := every(t) // a user namespace in which we have all capabilities
	caps := cnsenter.Caps{
		Effective: chownBit, Permitted: chownBit | netBindBit, Inheritable: netBindBit, Ambient: netBindBit,
		Bounding: chownBit | netBindBit,
	}
	requireCaps := func(t *testing.T, s sight, effective uint64) {
		require.Equal(t, mask(effective), s.Status["CapEff"])
		require.Equal(t, mask(chownBit|netBindBit), s.Status["CapPrm"])
		require.Equal(t, mask(netBindBit), s.Status["CapInh"])
		require.Equal(t, mask(netBindBit), s.Status["CapAmb"])
		require.Equal(t, mask(chownBit|netBindBit), s.Status["CapBnd"])
	}
	t.Run("in Go", func(t *testing.T) {
		requireCaps(t, run(t, append(open(t, target, ns.User), cnsenter.SetUID(0), cnsenter.SetCaps(caps))), chownBit)
	})
	t.Run("with a new root", func(t *testing.T) {
		plan := append(open(t, target, everyType), append(ids(), cnsenter.SetCaps(caps))...)
		s := run(t, plan)
		requireCaps(t, s, chownBit)
		require.Equal(t, "seed", s.File)
	})
	t.Run("to a program", func(t *testing.T) {
		cmd := exec.Command("/proc/self/exe")
		cmd.Args = []string{"grep", "Cap", "/proc/self/status"}
		plan := append(open(t, target, ns.User), cnsenter.SetUID(0), cnsenter.SetCaps(cnsenter.Caps{}), cnsenter.Exec("grep"))
		out, err := output(plan, cmd)
		require.NoError(t, err)
		require.Equal(t, 5, strings.Count(out, mask(0)), out)
	})
	t.Run("none that we lack", func(t *testing.T) {
		plan := append(open(t, target, ns.User), cnsenter.SetCaps(cnsenter.Caps{}), cnsenter.SetCaps(caps))
		e := refused(t, plan)
		require.ErrorIs(t, e, unix.EPERM)
		require.Equal(t, cnsenter.OpSetCaps, e.Op)
	})
}

// Groups stay without an error only where the user namespace denies it.
func TestDropGroupsTakesPrivilege(t *testing.T) {
	fixture.Need(t, fixture.Root)
	e := refused(t, cnsenter.Plan{cnsenter.SetGroups(7, 8), cnsenter.SetUID(11), cnsenter.DropGroups()})
	require.Equal(t, cnsenter.OpDropGroups, e.Op)
	require.ErrorIs(t, e, unix.EPERM)
	require.Equal(t, []int{7}, run(t, cnsenter.Plan{cnsenter.SetGroups(7)}).Groups)
	require.Empty(t, run(t, cnsenter.Plan{cnsenter.SetGroups(7), cnsenter.DropGroups()}).Groups)
}

// A change of uid takes the privilege to chroot away, before Go is there to go to the target's root.
func TestUIDWithANewRoot(t *testing.T) {
	fixture.Need(t, fixture.Root)
	target := fixture.New(t, fixture.Spec{Mount: true, PID: true, Files: map[string]string{"/mnt/planted": "seed"}})
	plan := open(t, target, ns.Mount|ns.PID)
	outside := fixture.New(t, fixture.Spec{Mount: true, Files: map[string]string{"/mnt/planted": "seed"}})
	mount := open(t, outside, ns.Mount)
	t.Run("without a relay", func(t *testing.T) {
		s := run(t, append(mount, cnsenter.SetGID(12), cnsenter.SetUID(11)))
		require.Equal(t, 11, s.UID)
		require.Equal(t, 12, s.GID)
		require.Equal(t, "seed", s.File)
		require.Equal(t, "/", s.Cwd)
		require.Equal(t, mask(0), s.Status["CapEff"])
		require.False(t, s.Alarm)
	})
	t.Run("with a relay and a directory", func(t *testing.T) {
		s := run(t, append(plan, cnsenter.Chdir("/mnt"), cnsenter.Fork(), cnsenter.SetUID(11)))
		require.Equal(t, 11, s.UID)
		require.Equal(t, "seed", s.File)
		require.Equal(t, "/mnt", s.Cwd)
		require.Len(t, s.Processes, 2, "the helper is gone")
	})
	t.Run("keeping capabilities", func(t *testing.T) {
		caps := cnsenter.Caps{Effective: chownBit, Permitted: chownBit, Bounding: chownBit}
		s := run(t, append(mount, cnsenter.SetUID(11), cnsenter.SetCaps(caps)))
		require.Equal(t, 11, s.UID)
		require.Equal(t, mask(chownBit), s.Status["CapEff"])
		require.Equal(t, "seed", s.File)
	})
	t.Run("directories come first", func(t *testing.T) {
		e := refused(t, append(mount, cnsenter.SetUID(11), cnsenter.Chdir("/mnt")))
		require.Equal(t, 2, e.Step)
		require.ErrorContains(t, e, "before the uid")
	})
	t.Run("no file of the target's /proc is taken for the caller's", func(t *testing.T) {
		for _, step := range []cnsenter.Step{
			cnsenter.Unshare(ns.Spec{Types: ns.Time, Boottime: time.Second}), cnsenter.Attach(os.Stdin, "/mnt"),
		} {
			e := refused(t, append(mount, step))
			require.ErrorContains(t, e, "this takes files of /proc")
		}
		require.ErrorIs(t, refused(t, cnsenter.Plan{cnsenter.Write(os.Stdin, "/etc/passwd", "")}), os.ErrInvalid)
	})
	t.Run("nothing parts the process from who leads it to its root", func(t *testing.T) {
		lowered := append(mount, cnsenter.SetCaps(cnsenter.Caps{Effective: adminBit, Permitted: adminBit, Bounding: adminBit}))
		for _, step := range []cnsenter.Step{
			cnsenter.Unshare(ns.Spec{Types: ns.Mount}), cnsenter.Unshare(ns.Spec{Types: ns.User}), cnsenter.Fork(),
			cnsenter.Unshare(ns.Spec{Types: ns.Time, Boottime: time.Second}),
		} {
			e := refused(t, append(lowered[:2:2], step))
			require.Equal(t, 2, e.Step)
			require.ErrorContains(t, e, "comes before the")
		}
		s := run(t, append(mount[:1:1], cnsenter.SetUID(0), cnsenter.Unshare(ns.Spec{Types: ns.Mount}), cnsenter.Fork()))
		require.Equal(t, "seed", s.File)
	})
}

func TestJoinCgroup(t *testing.T) {
	fixture.Need(t, fixture.Root)
	dir, err := os.MkdirTemp("/sys/fs/cgroup/pids", "airlock")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		dir, err = os.MkdirTemp("/sys/fs/cgroup", "airlock") // version 2 alone
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, os.Remove(dir)) }()
	procs, err := os.OpenFile(dir+"/cgroup.procs", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer procs.Close()
	require.Contains(t, run(t, cnsenter.Plan{cnsenter.JoinCgroup(procs), cnsenter.Fork()}).Cgroup, dir[strings.LastIndexByte(dir, '/'):])
}
