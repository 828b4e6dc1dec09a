// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

// The tests in this file are named for the faults of gons/reexec v0.9.9 that this package must not have. The two that concern
// its constructor, which aborts when it joins a pid namespace and does not link beside runc's, are tests of cnsenter.

var (
	sayNothing = reexec.Register("say nothing", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	sayAll     = reexec.Register("say all", func(_ context.Context, n int) (int, error) {
		return os.Stderr.Write(bytes.Repeat([]byte("0123456789\n"), n/11))
	})
	printed = reexec.Register("printed", func(context.Context, string) (string, error) {
		fmt.Println(`"a result?"`)
		fmt.Fprintln(os.Stderr, "a failure?")
		return "the result", nil
	})
)

func TestGonsResultOnStdoutAndFailureOnStderr(t *testing.T) {
	var stdout, stderr bytes.Buffer
	out, err := printed.Call(bg(), &reexec.Process{Stdout: &stdout, Stderr: &stderr}, "")
	require.NoError(t, err)
	require.Equal(t, "the result", out)
	require.Equal(t, "\"a result?\"\n", stdout.String())
	require.Equal(t, "a failure?\n", stderr.String())
}

func TestGonsCannotReturnAnErrorValue(t *testing.T) {
	_, err := fail.Call(bg(), nil, "path")
	require.ErrorIs(t, err, syscall.ENOENT)
}

func TestGonsHasNoContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(bg(), 50*time.Millisecond)
	defer cancel()
	_, err := sleep.Call(ctx, &reexec.Process{Stdout: new(bytes.Buffer)}, "a hang before the result is not for ever")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestGonsNilResultAlwaysFails(t *testing.T) {
	_, err := sayNothing.Call(bg(), nil, struct{}{})
	require.NoError(t, err)
}

func TestGonsLargeDataBothWaysDeadlocks(t *testing.T) {
	n := 64 << 20
	if raceEnabled {
		n = 4 << 20
	}
	in := pair{Data: bytes.Repeat([]byte{1, 2, 3, 4}, n/4)}
	out, err := echo.Call(bg(), nil, in)
	require.NoError(t, err)
	require.True(t, bytes.Equal(in.Data, out.Data))
}

func TestGonsTruncatesStderr(t *testing.T) {
	calls := 400
	if raceEnabled {
		calls = 40
	}
	for range calls {
		var stderr bytes.Buffer
		n, err := sayAll.Call(bg(), &reexec.Process{Stderr: &stderr}, 60_000)
		require.NoError(t, err)
		require.Equal(t, n, stderr.Len())
	}
}

// slowEnd starts the worker in a shell that outlives it by more than a second.
type slowEnd struct{}

func (slowEnd) Start(cmd *exec.Cmd) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", self + "; sleep 1.2; echo the end"}
	return cmd.Start()
}

func TestGonsKillsASecondAfterTheResult(t *testing.T) {
	var stdout bytes.Buffer
	out, err := echo.Call(bg(), &reexec.Process{Starter: slowEnd{}, Stdout: &stdout}, pair{Name: "x"})
	require.NoError(t, err)
	require.Equal(t, "x", out.Name)
	require.Equal(t, "the end\n", stdout.String())
}

func TestGonsVariablesLeakToGrandchildren(t *testing.T) {
	in, err := report.Call(bg(), nil, struct{}{})
	require.NoError(t, err)
	require.NotContains(t, in.Child, "AIRLOCK_CALL")
}

func TestGonsMainRunsOnAfterAFailure(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "-test.run=^$", "-test.v")
	cmd.Env = append(os.Environ(), "AIRLOCK_CALL=99")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.NotContains(t, string(out), "PASS")
}

func TestGonsSetUserIDProgramHonoursTheVariables(t *testing.T) {
	fixture.Need(t, fixture.Root)
	self, err := os.Executable()
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "suid")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	program := filepath.Join(dir, "suid")
	require.NoError(t, exec.Command("cp", self, program).Run())
	require.NoError(t, os.Chown(program, 0, 0))
	require.NoError(t, os.Chmod(program, os.ModeSetuid|0o755))
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	theirs := os.NewFile(uintptr(pair[1]), "theirs")
	defer theirs.Close()
	defer unix.Close(pair[0])
	// A worker would wait for a call for ever; a program that ignores the variable runs its main.
	cmd := exec.Command(program, "-test.run=^TestSuidHelper$", "-test.v")
	cmd.Env = append(os.Environ(), "AIRLOCK_CALL=3")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "euid 0, variable \"\"")
}

func TestSuidHelper(t *testing.T) {
	fmt.Printf("euid %d, variable %q\n", os.Geteuid(), os.Getenv("AIRLOCK_CALL"))
}

func TestGonsCoverageOfChildrenCrashes(t *testing.T) {
	require.Contains(t, covered(t, "^TestCallRunsInAnotherProcess$"), "/execute.go:")
}

// covered gives the lines of a coverage profile that were run in these tests.
func covered(t *testing.T, tests string) string {
	fixture.Need(t, fixture.Program("go"))
	profile := filepath.Join(t.TempDir(), "cover.out")
	cmd := exec.Command("go", "test", "-count=1", "-run="+tests, "-coverprofile="+profile, ".")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "GOCOVERDIR")
	b, err := os.ReadFile(profile)
	require.NoError(t, err)
	var lines strings.Builder
	for line := range strings.Lines(string(b)) {
		if strings.HasSuffix(line, " 1\n") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// hidden starts the worker in a mount namespace in which the temporary directory is another one.
type hidden struct{}

func (hidden) Start(cmd *exec.Cmd) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// The program itself is under the temporary directory too.
	script := `exec 9<"$0" && mount -t tmpfs none /tmp && exec /proc/self/fd/9`
	cmd.Args = []string{"unshare", "-Urm", "sh", "-c", script, self}
	cmd.Path, err = exec.LookPath("unshare")
	if err != nil {
		return err
	}
	return cmd.Start()
}

func TestCallUnderAnotherMount(t *testing.T) {
	fixture.Need(t, fixture.UserNS, fixture.Program("unshare"))
	entries, err := listTemp.Call(bg(), reexec.In(hidden{}), struct{}{})
	require.NoError(t, err)
	require.Empty(t, entries)
}

var listTemp = reexec.Register("list /tmp", func(context.Context, struct{}) (names []string, err error) {
	entries, err := os.ReadDir("/tmp")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
})

func TestCoverageSurvivesAMountJoin(t *testing.T) {
	fixture.Need(t, fixture.UserNS, fixture.Program("unshare"))
	require.Contains(t, covered(t, "^TestCallUnderAnotherMount$"), "/execute.go:")
}
