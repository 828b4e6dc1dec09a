// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func init() {
	roles["covered"] = func(pid string) int {
		number, err := strconv.Atoi(pid)
		if err != nil {
			return answer(nil, err)
		}
		target, err := launcher.PID(number, ns.All)
		if err != nil {
			return answer(nil, err)
		}
		var pool reexec.Pool
		for _, on := range []reexec.Runner{reexec.In(target), pool.On("", target)} {
			if _, err = whoami.Call(context.Background(), on, struct{}{}); err != nil {
				return answer(nil, err)
			}
		}
		return answer(nil, pool.Close())
	}
}

// Programs and test binaries that are built with -cover count what workers do in targets, whatever those have at /proc.
func TestCoverageOfAWorkerInATarget(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Program("go"))
	bin := t.TempDir()
	build(t, "build", "-cover", "-o", bin+"/program", "./covered")
	build(t, "test", "-c", "-cover", "-coverpkg=github.com/airlock-ns/airlock/reexec", "-o", bin+"/test", ".")
	for name, spec := range map[string]fixture.Spec{
		"a /proc of its own": {User: true, Mount: true, PID: true},
		"no /proc":           {User: true, Mount: true, Root: true, NoProc: true},
		"a fake /proc": {User: true, Mount: true, Root: true, NoProc: true, Files: map[string]string{
			"/proc/self/fd/4/there": "", "/proc/self/exe": "", "/proc/self/maps": "",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			made := fixture.New(t, spec)
			pid := strconv.Itoa(made.PID)
			t.Run("a program", func(t *testing.T) {
				counted := countedBy(t, exec.Command(bin+"/program", pid), "/\n")
				require.Contains(t, counted, "covered/worker.go:")
			})
			t.Run("a test binary", func(t *testing.T) {
				cmd := inRole("covered", pid)
				cmd.Path = bin + "/test"
				counted := countedBy(t, cmd, "null\n")
				require.Contains(t, counted, "reexec/execute.go:")
				require.Contains(t, counted, "reexec/state_linux.go:", "of a warm worker")
			})
		})
	}
}

func build(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("go", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// countedBy gives the lines of a profile that were run, by the program or its workers, which print nothing but what they should.
func countedBy(t *testing.T, cmd *exec.Cmd, want string) string {
	t.Helper()
	dir := t.TempDir()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "GOCOVERDIR="+dir)
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, want, string(out))
	profile := filepath.Join(dir, "profile")
	text, err := exec.Command("go", "tool", "covdata", "textfmt", "-i="+dir, "-o="+profile).CombinedOutput()
	require.NoError(t, err, "%s", text)
	lines, err := os.ReadFile(profile)
	require.NoError(t, err)
	var counted strings.Builder
	for line := range strings.Lines(string(lines)) {
		if !strings.HasSuffix(line, " 0\n") {
			counted.WriteString(line)
		}
	}
	return counted.String()
}
