// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// every is a target with all that a user can have of his own.
func every(t *testing.T) *fixture.Target {
	return fixture.New(t, fixture.Spec{
		User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true,
		Hostname: "inside", Files: map[string]string{"/mnt/planted": "seed"},
	})
}

const everyType = ns.All &^ ns.Time

func requireInside(t *testing.T, s sight, target *fixture.Target) {
	t.Helper()
	require.Equal(t, "inside", s.Hostname)
	require.Equal(t, "seed", s.File)
	require.Equal(t, "/", s.Cwd)
	require.Less(t, s.PID, 1000, "a pid of the target's")
	require.Contains(t, s.Processes, "1")
	require.Len(t, s.Processes, 2, "the target and the probe")
	for typ := range everyType.Each() {
		link, err := os.Readlink(target.NS(typ.String()))
		require.NoError(t, err)
		require.Equal(t, link, s.Namespaces[typ.String()])
	}
	require.Zero(t, s.UID)
	require.Zero(t, s.GID)
}

func ids() cnsenter.Plan {
	return cnsenter.Plan{cnsenter.Fork(), cnsenter.DropGroups(), cnsenter.SetGID(0), cnsenter.SetUID(0)}
}

func TestJoinByDescriptors(t *testing.T) {
	target := every(t)
	requireInside(t, run(t, append(open(t, target, everyType), ids()...)), target)
}

func TestJoinByPIDFD(t *testing.T) {
	target := every(t)
	plan := append(cnsenter.Plan{cnsenter.Join(pidfd(t, target.PID), everyType)}, ids()...)
	requireInside(t, run(t, plan), target)
}

// Whatever the order that the caller gives, the group finds one that the kernel allows.
func TestJoinOrderDoesNotMatter(t *testing.T) {
	target := every(t)
	plan := open(t, target, everyType)
	slices.Reverse(plan)
	requireInside(t, run(t, append(plan, ids()...)), target)
}

func TestJoinTime(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	target := fixture.New(t, fixture.Spec{User: true, Time: true})
	s := run(t, append(open(t, target, ns.User|ns.Time), cnsenter.SetUID(0)))
	link, err := os.Readlink(target.NS("time"))
	require.NoError(t, err)
	require.Equal(t, link, s.Namespaces["time"])
}

// What the Go runtime opens while it starts must come from the caller's files: FIFOs in the target would block it for ever.
func TestRuntimeStartsUnderTheCallersRoot(t *testing.T) {
	target := fixture.New(t, fixture.Spec{
		User: true, Mount: true, Root: true, NoProc: true,
		FIFOs: []string{
			"/proc/self/maps", "/proc/self/cgroup", "/proc/self/auxv", "/proc/self/mountinfo",
			"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "/etc/nsswitch.conf", "/etc/localtime",
		},
	})
	s := run(t, open(t, target, ns.User|ns.Mount))
	require.Equal(t, "/", s.Cwd)
	require.False(t, s.Alarm)
	require.Empty(t, s.Processes)
}

// The init functions of a program see the target's root, also those of packages that do not know this one.
func TestInitRunsInside(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true, Mount: true, Root: true})
	require.True(t, run(t, append(open(t, target, ns.User|ns.Mount), cnsenter.SetUID(0))).EarlyRoot)
}

func TestProcessAttributes(t *testing.T) {
	s := run(t, cnsenter.Plan{cnsenter.Setsid(), cnsenter.NoNewPrivs(), cnsenter.Chdir("/proc")})
	require.Zero(t, s.Dumpable)
	require.Equal(t, 1, s.NoNewPrivs)
	require.Equal(t, "0000000000000000", s.Status["SigBlk"])
	require.Equal(t, s.PID, s.Session)
	require.Equal(t, "/proc", s.Cwd)
}

func TestIDs(t *testing.T) {
	fixture.Need(t, fixture.Root)
	s := run(t, cnsenter.Plan{cnsenter.SetGroups(7, 8), cnsenter.SetGID(12), cnsenter.SetUID(11)})
	require.Equal(t, []int{7, 8}, s.Groups)
	require.Equal(t, 12, s.GID)
	require.Equal(t, 11, s.UID)
}

// Descriptors that somebody left open do not reach the program, and the plan leaves none of its own.
func TestDescriptors(t *testing.T) {
	var leaked []int
	for range 50 {
		fd, err := unix.Open("/", unix.O_RDONLY, 0)
		require.NoError(t, err)
		leaked = append(leaked, fd)
	}
	defer func() {
		for _, fd := range leaked {
			unix.Close(fd)
		}
	}()
	target := every(t)
	for name, plan := range map[string]cnsenter.Plan{
		"nothing joined": {cnsenter.Chdir("/")},
		"all joined":     append(open(t, target, everyType), cnsenter.Fork()),
	} {
		t.Run(name, func(t *testing.T) {
			for _, d := range run(t, plan).Descriptors {
				number, what, _ := strings.Cut(d, " ")
				ours := number == "0" || number == "1" || number == "2"
				runtime := what == "anon_inode:[eventpoll]" || what == "anon_inode:[eventfd]" || strings.HasPrefix(what, "/proc/") ||
					strings.Contains(what, "cpu.") // the Go runtime's
				listing := what == "" // the directory that was read, closed by now
				require.True(t, ours || runtime || listing, "descriptor %s", d)
			}
		})
	}
}

func TestExtraFilesKeepTheirNumbers(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd, out := command("look")
	cmd.ExtraFiles = []*os.File{nil, w}
	require.NoError(t, cnsenter.Plan{cnsenter.Setsid()}.Start(cmd))
	w.Close()
	require.NoError(t, cmd.Wait())
	require.Contains(t, out.String(), `"4 pipe:`)
}

func TestTheVariableIsGone(t *testing.T) {
	s := run(t, cnsenter.Plan{cnsenter.Setsid()})
	for _, v := range s.Env {
		require.False(t, strings.HasPrefix(v, "AIRLOCK_PLAN="), v)
	}
}

// The Go runtime finds its auxiliary vector behind the environment, also when /proc cannot be read.
func TestTheAuxiliaryVectorIsThere(t *testing.T) {
	require.NotZero(t, run(t, cnsenter.Plan{cnsenter.Setsid()}).Auxv)
}

func TestExecSeesNoTraceOfTheVariable(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"cat", "/proc/self/environ"}
	cmd.Env = []string{"A=1", "B=2"}
	out, err := output(cnsenter.Plan{cnsenter.Exec("cat")}, cmd)
	require.NoError(t, err)
	require.Equal(t, "A=1\x00B=2\x00", out)
}

func TestExec(t *testing.T) {
	target := every(t)
	for name, c := range map[string]struct {
		plan cnsenter.Plan
	}{
		"without a relay": {open(t, target, everyType&^ns.PID)},
		"with a relay":    {append(open(t, target, everyType), cnsenter.Fork())},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Args = []string{"sh", "-c", `echo "$0 $1 $HELLO"; uname -n; exit 7`, "zero", "one two"}
			cmd.Env = []string{"HELLO=hello", "PATH=/usr/bin:/bin"}
			out, err := output(append(c.plan, cnsenter.Exec("sh")), cmd)
			require.Equal(t, "zero one two hello\ninside\n", out)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			require.Equal(t, 7, exit.ExitCode())
		})
	}
}

func TestExecEmptyArguments(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"true"}
	cmd.Env = []string{}
	out, err := output(cnsenter.Plan{cnsenter.Exec("/bin/true")}, cmd)
	require.NoError(t, err)
	require.Empty(t, out)
}

func output(plan cnsenter.Plan, cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := plan.Start(cmd); err != nil {
		return "", fmt.Errorf("start: %w", err)
	}
	err := cmd.Wait()
	return out.String(), err
}

func TestFChrootAndFChdir(t *testing.T) {
	target := every(t)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "mnt"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "deep/down"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mnt/planted"), []byte("in the new root"), 0o644))
	root, err := os.Open(dir)
	require.NoError(t, err)
	defer root.Close()
	for name, to := range map[string]cnsenter.Step{"open": cnsenter.FChroot(root), "path": cnsenter.Chroot(dir)} {
		t.Run(name, func(t *testing.T) {
			s := run(t, append(open(t, target, ns.User), to, cnsenter.Chdir("/deep/down")))
			require.Equal(t, "in the new root", s.File)
			require.Equal(t, "/deep/down", s.Cwd)
		})
	}
}

// The error of a program that is killed names the program, not the descriptor that it was started by.
func TestNoReportNamesTheProgram(t *testing.T) {
	cmd, _ := command("exit 0")
	e := (*cnsenter.Error)(nil)
	err := cnsenter.Plan{cnsenter.Await(func(pid int) error { return unix.Kill(pid, unix.SIGKILL) })}.Start(cmd)
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, e, cnsenter.ErrNoReport)
	require.Equal(t, "/proc/self/exe", e.Path)
}
