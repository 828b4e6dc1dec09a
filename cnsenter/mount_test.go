// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// private is a mount namespace of the process's own, in the user namespace of the target.
func private(t *testing.T, target *fixture.Target) cnsenter.Plan {
	t.Helper()
	return append(open(t, target, ns.User), cnsenter.Unshare(ns.Spec{Types: ns.Mount}),
		cnsenter.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

func TestMount(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "planted"), []byte("seed"), 0o644))
	s := run(t, append(private(t, target), cnsenter.Mount(dir, "/mnt", "", unix.MS_BIND, "")))
	require.Equal(t, "seed", s.File)
	require.NotEqual(t, "seed", run(t, private(t, target)).File, "it stays in the namespace")

	t.Run("with data", func(t *testing.T) {
		over := cnsenter.Mount("tmpfs", "/mnt", "tmpfs", unix.MS_NOSUID, "mode=0750,size=64k")
		s := run(t, append(private(t, target), over, cnsenter.Chdir("/mnt")))
		require.Equal(t, "/mnt", s.Cwd)
	})
}

func TestFreshProc(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true, PID: true})
	plan := append(open(t, target, ns.User|ns.PID), cnsenter.Unshare(ns.Spec{Types: ns.Mount}),
		cnsenter.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), cnsenter.Fork(),
		cnsenter.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
	require.Len(t, run(t, plan).Processes, 2, "the target and the probe")
}

func TestAttach(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true, Mount: true, Files: map[string]string{"/mnt/planted": "seed"}})
	here, err := os.Getwd()
	require.NoError(t, err)
	mounts, err := ns.OpenPID(target.PID, ns.Mount)
	require.NoError(t, err)
	defer mounts.Close()
	plan := append(private(t, target), cnsenter.Attach(mounts.File(), "/mnt"))
	s := run(t, plan)
	require.Equal(t, here, s.Cwd)
	require.Empty(t, s.File)
	require.NotEqual(t, mounts.String(), s.Namespaces["mnt"])
	require.Equal(t, "seed", run(t, append(plan, cnsenter.Chroot("/mnt"))).File)

	t.Run("by pidfd", func(t *testing.T) {
		plan := append(private(t, target), cnsenter.Attach(pidfd(t, target.PID), "/mnt"), cnsenter.Chroot("/mnt"))
		require.Equal(t, "seed", run(t, plan).File)
	})
	t.Run("of our own", func(t *testing.T) {
		e := refused(t, append(private(t, target), cnsenter.Attach(pidfd(t, os.Getpid()), "/mnt")))
		require.ErrorIs(t, e, unix.EPERM)
		require.Equal(t, cnsenter.OpAttach, e.Op)
	})
}

func TestWrite(t *testing.T) {
	proc, err := os.Open("/proc")
	require.NoError(t, err)
	defer proc.Close()
	name := cnsenter.Write(proc, "thread-self/comm", "renamed")
	require.Equal(t, "renamed", run(t, cnsenter.Plan{name}).Status["Name"])
	target := every(t)
	plan := append(open(t, target, everyType), cnsenter.Fork(), cnsenter.SetUID(0), name)
	require.Equal(t, "renamed", run(t, plan).Status["Name"], "our /proc, in the target")
}

// A working directory outside of the mount namespace is refused, unless the plan insists.
func TestDirectoryOutside(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true, Mount: true})
	dir, err := os.Open(t.TempDir())
	require.NoError(t, err)
	defer dir.Close()
	plan := open(t, target, ns.User|ns.Mount)
	require.ErrorIs(t, refused(t, append(plan, cnsenter.FChdir(dir))), unix.ENOENT)
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"readlink", "/proc/self/cwd"}
	out, err := output(append(plan, cnsenter.FChdirOutside(dir), cnsenter.Exec("readlink")), cmd)
	require.NoError(t, err)
	require.Equal(t, dir.Name()+"\n", out)
}
