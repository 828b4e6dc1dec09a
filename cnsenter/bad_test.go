// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// refused starts a probe by a plan that must fail, and returns the error after main is known not to have run.
func refused(t *testing.T, plan cnsenter.Plan) *cnsenter.Error {
	t.Helper()
	cmd, out := command("look")
	err := plan.Start(cmd)
	var e *cnsenter.Error
	require.ErrorAs(t, err, &e)
	require.Empty(t, out.String(), "main ran")
	if cmd.Process != nil {
		require.NotNil(t, cmd.ProcessState, "not reaped")
	}
	return e
}

func TestStepsThatFail(t *testing.T) {
	file, err := os.Open("/proc/self/status")
	require.NoError(t, err)
	defer file.Close()
	closed, err := os.Open("/")
	require.NoError(t, err)
	closed.Close()
	uts, err := ns.Current(ns.UTS)
	require.NoError(t, err)
	defer uts.Close()
	user, err := ns.Current(ns.User)
	require.NoError(t, err)
	defer user.Close()

	for name, c := range map[string]struct {
		plan  cnsenter.Plan
		step  int
		is    error
		types ns.Type
		says  string
	}{
		"no namespace": {
			cnsenter.Plan{cnsenter.Join(file, ns.Net)},
			0, unix.EINVAL, ns.Net, "cnsenter: step 0: join net of /proc/self/status: invalid argument",
		},
		"another type": {
			cnsenter.Plan{cnsenter.Setsid(), cnsenter.Join(uts.File(), ns.Net)}, 1, unix.EINVAL, ns.Net, "join net of",
		},
		"one's own user namespace": {
			cnsenter.Plan{cnsenter.Join(user.File(), ns.User)}, 0, unix.EINVAL, ns.User, "join user of",
		},
		"one's own user namespace in a mask": {
			cnsenter.Plan{cnsenter.Join(pidfd(t, os.Getpid()), ns.User|ns.UTS)}, 0, unix.EINVAL, ns.User, "join user of pid",
		},
		"no such directory": {
			cnsenter.Plan{cnsenter.Chdir("/no/such")}, 0, unix.ENOENT, 0, "step 0: chdir /no/such: no such file",
		},
		"a file for a directory": {
			cnsenter.Plan{cnsenter.FChdir(file)}, 0, unix.ENOTDIR, 0, "chdir /proc/self/status",
		},
		"no such program": {
			cnsenter.Plan{cnsenter.Exec("/no/such")}, 0, unix.ENOENT, 0, "execute /no/such: no such file",
		},
		"no such program behind a relay": {
			cnsenter.Plan{cnsenter.Fork(), cnsenter.Exec("/no/such")}, 1, unix.ENOENT, 0, "step 1: execute /no/such",
		},
		"not executable": {
			cnsenter.Plan{cnsenter.Exec("/etc/passwd")}, 0, unix.EACCES, 0, "execute /etc/passwd: permission denied",
		},
		"no types":                 {cnsenter.Plan{cnsenter.Join(file, 0)}, 0, os.ErrInvalid, 0, "none"},
		"types that are none":      {cnsenter.Plan{cnsenter.Join(file, 1)}, 0, os.ErrInvalid, 1, "0x1"},
		"no file":                  {cnsenter.Plan{cnsenter.Join(nil, ns.Net)}, 0, os.ErrInvalid, ns.Net, "join net"},
		"a file closed before":     {cnsenter.Plan{cnsenter.FChdir(closed)}, -1, os.ErrClosed, 0, "start plan: /: "},
		"the zero step":            {cnsenter.Plan{{}}, 0, os.ErrInvalid, 0, "not a step"},
		"an empty path":            {cnsenter.Plan{cnsenter.Chroot("")}, 0, os.ErrInvalid, 0, "bad path"},
		"a path with NUL":          {cnsenter.Plan{cnsenter.Chroot("a\x00b")}, 0, os.ErrInvalid, 0, "bad path"},
		"a negative id":            {cnsenter.Plan{cnsenter.SetUID(-1)}, 0, os.ErrInvalid, 0, "set uid -1"},
		"a second fork":            {cnsenter.Plan{cnsenter.Fork(), cnsenter.Fork()}, 1, nil, 0, "only once"},
		"a mount without a path":   {cnsenter.Plan{cnsenter.Mount("tmpfs", "", "tmpfs", 0, "")}, 0, os.ErrInvalid, 0, "bad texts"},
		"a mount with NUL":         {cnsenter.Plan{cnsenter.Mount("tmpfs", "/a\x00b", "tmpfs", 0, "")}, 0, os.ErrInvalid, 0, "bad texts"},
		"a mount on what is not":   {cnsenter.Plan{cnsenter.Mount("", "/no/such", "tmpfs", 0, "")}, 0, nil, 0, "mount /no/such: "},
		"attach without a path":    {cnsenter.Plan{cnsenter.Attach(uts.File(), "")}, 0, os.ErrInvalid, 0, "bad path"},
		"attach without a file":    {cnsenter.Plan{cnsenter.Attach(nil, "/mnt")}, 0, os.ErrInvalid, 0, "attach /mnt"},
		"attach what is no mounts": {cnsenter.Plan{cnsenter.Attach(uts.File(), "/mnt")}, 0, nil, 0, "attach /mnt: "},
		"write without a file":     {cnsenter.Plan{cnsenter.Write(nil, "comm", "x")}, 0, os.ErrInvalid, 0, "write comm"},
		"write text with NUL":      {cnsenter.Plan{cnsenter.Write(file, "comm", "x\x00y")}, 0, os.ErrInvalid, 0, "bad texts"},
		"write below a file":       {cnsenter.Plan{cnsenter.Write(file, "x", "")}, 0, unix.ENOTDIR, 0, "write /proc/self/status/x: "},
		"exec is not the last":     {cnsenter.Plan{cnsenter.Exec("/bin/true"), cnsenter.Setsid()}, 0, nil, 0, "last step"},
		"too many steps":           {make(cnsenter.Plan, 65), 64, nil, 0, "more than 64 steps"},
		"too long a path":          {cnsenter.Plan{cnsenter.Chdir(strings.Repeat("/", 70_000))}, -1, nil, 0, "65536"},
	} {
		t.Run(name, func(t *testing.T) {
			e := refused(t, c.plan)
			require.Equal(t, c.step, e.Step)
			require.Equal(t, c.types, e.Types)
			require.ErrorContains(t, e, c.says)
			if c.is != nil {
				require.ErrorIs(t, e, c.is)
			}
		})
	}
}

func TestMissingPrivilegeNamesTheNamespace(t *testing.T) {
	target := every(t)
	// Inside its own new user namespace the probe has no power over the namespaces that belong to ours.
	e := refused(t, append(open(t, target, ns.User), cnsenter.Join(pidfd(t, os.Getpid()), ns.Net|ns.UTS), cnsenter.Chdir("/")))
	require.Equal(t, 1, e.Step)
	require.Equal(t, ns.Net|ns.UTS, e.Types)
	require.ErrorIs(t, e, unix.EPERM)
}

func TestDeadPIDNamespace(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true, PID: true})
	plan := append(open(t, target, ns.User|ns.PID), cnsenter.Fork())
	require.NoError(t, target.Close())
	e := refused(t, plan)
	require.Equal(t, cnsenter.OpFork, e.Op)
	require.ErrorIs(t, e, cnsenter.ErrDeadPIDNamespace)
	require.ErrorIs(t, e, unix.ENOMEM)
}

func TestExitedTarget(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true})
	file := pidfd(t, target.PID)
	require.NoError(t, target.Close())
	require.ErrorIs(t, refused(t, cnsenter.Plan{cnsenter.Join(file, ns.User)}), unix.ESRCH)
}

// A program without the constructor reads no plan, and nobody takes its start for a success.
func TestProgramWithoutTheConstructor(t *testing.T) {
	cmd := exec.Command("/bin/true")
	err := cnsenter.Plan{cnsenter.Setsid()}.Start(cmd)
	require.ErrorIs(t, err, cnsenter.ErrNoReport)
	require.ErrorContains(t, err, "/bin/true")
	require.NotNil(t, cmd.ProcessState)

	ctx, cancel := context.WithCancel(t.Context())
	cmd = exec.CommandContext(ctx, "sleep", "60")
	started := make(chan error)
	go func() { started <- cnsenter.Plan{cnsenter.Setsid()}.Start(cmd) }()
	cancel()
	require.Error(t, <-started)
}

func TestNoSuchStartImage(t *testing.T) {
	e := (&cnsenter.Error{})
	require.ErrorAs(t, cnsenter.Plan{cnsenter.Setsid()}.Start(exec.Command("/no/such")), &e)
	require.ErrorIs(t, e, os.ErrNotExist)
	require.Equal(t, cnsenter.OpStart, e.Op)
}

// The variable announces a plan only where one is: anything else ends the program, whose main is not reached.
func TestVariableWithoutAPlan(t *testing.T) {
	zero, err := os.Open("/dev/zero")
	require.NoError(t, err)
	defer zero.Close()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	silent := os.NewFile(uintptr(fds[0]), "silent")
	defer silent.Close()
	defer unix.Close(fds[1])
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	pipe, err := os.OpenFile(fifo, os.O_RDWR, 0)
	require.NoError(t, err)
	defer pipe.Close()

	for value, file := range map[string]*os.File{
		"3": zero, "03": r, "003": silent, "0003": pipe, "4": nil, "-1": nil, "": nil, "3x": zero, "x": nil,
		strconv.Itoa(1<<32 + 3): zero, "99999999999999999999": nil, " 3": zero, "0x3": zero,
	} {
		t.Run("value "+value, func(t *testing.T) {
			cmd, out := command("look")
			cmd.Env = append(cmd.Env, "AIRLOCK_PLAN="+value)
			cmd.Stderr = out
			if file != nil {
				cmd.ExtraFiles = []*os.File{file}
			}
			require.Error(t, cmd.Run())
			require.Contains(t, out.String(), "airlock: AIRLOCK_PLAN: no plan there: ")
			require.NotContains(t, out.String(), "Hostname")
		})
	}
}

// Without package atstart in the program the variable means nothing.
func TestJoinVariableNeedsAnImport(t *testing.T) {
	cmd, out := command("look")
	cmd.Env = append(cmd.Env, "AIRLOCK_JOIN=nonsense")
	require.NoError(t, cmd.Run())
	require.Contains(t, out.String(), "AIRLOCK_JOIN=nonsense")
}
