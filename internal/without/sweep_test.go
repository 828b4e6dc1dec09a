// SPDX-License-Identifier: Apache-2.0

// What is not here does not depend on how a program is built, so once is enough: not with the race detector, and not as make musl builds.

//go:build linux && cgo && !race && !netgo

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// repeats are tests that do the same a thousand times, which is no different here.
var repeats = map[string]string{
	"ns":     "TestInUserNamespace|TestDoThreadsStayFlat",
	"reexec": "TestGons.*|TestPoolUnderLoad|TestParallelCalls|TestStreamInOrderToItsEnd|TestStreamErrorComesAfterTheLastItem|Fuzz.*",
}

// sweeps are the calls that are taken away, each with the tests of a package that are about what cannot be had without it. That the
// error is a typed one there, see TestPromise28TypedErrors.
var sweeps = map[string]map[string]string{
	"clone3":      nil,
	"openat2":     nil,
	"pidfd-ioctl": nil,
	"close_range": {
		"ns": "TestNewKeeperKeepsNothingElse", // which has no /proc to find what it has
	},
	"memfd_create": { // new user, PID and time namespaces are held by a program in memory
		"ns": "TestEnterMovesTheThread|TestEnterStuck|TestDoFailsWhole|TestDoUserAndTime|TestListFindsEveryKeeper|TestNew.*|" +
			"TestNetnsFault_NewMovesCaller|TestLxknsFault_VisitStaysLockedAfterPartialFailure|TestPinEveryType|TestRelations|ExampleNew.*|" +
			"ExampleSet_Init|ExampleHandle_.*|ExampleDo_program|ExampleDo_errors",
		"cnsenter": "TestJoiningAUserNamespaceStartsFromASealedCopy",
		"reexec":   "TestManyFiles|TestFilesOfAFailedCallAreClosed|ExampleFile", // the tests' own files
	},
	"pidfd_open": { // without it no process can be held on to
		"ns":       "TestForeign.*|TestListFindsEveryKeeper|TestOpenEveryType|Example.*PIDFD.*|ExampleForeign",
		"cnsenter": "TestRelay.*|TestChildDiesWithItsRelay|TestNobodyOutlivesTheCaller",
		"reexec":   "TestSocketsAndPidfdCross",
		"launcher": "TestCheck.*|TestNoMethodBypassesTheTarget|TestCommand.*|TestPID.*|TestOwnNamespacesAreAPlainStart|TestPreserveCredentials|TestParse|TestBadTargets|TestTarget.*|FuzzParse",
	},
}

var packages = []string{"ns", "cnsenter", "reexec", "launcher"}

const root = "../.."

// TestPromise28Sweeps runs the suites of the packages that programs embed without one system call after the other.
func TestPromise28Sweeps(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.Program("go"))
	bin := t.TempDir() + "/"
	args := []string{"test", "-c", "-o", bin}
	for _, p := range packages {
		args = append(args, "./"+p)
	}
	build(t, args...)
	build(t, "build", "-o", bin+"without", "./internal/without")
	for call, without := range sweeps {
		for _, p := range packages {
			t.Run(call+"/"+p, func(t *testing.T) {
				skip := strings.Trim(repeats[p]+"|"+without[p], "|")
				cmd := exec.Command(bin+"without", call, bin+p+".test", "-test.v", "-test.skip", "^("+skip+")$")
				cmd.Dir = filepath.Join(root, p)
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", failures(string(out)))
				require.Contains(t, string(out), "--- PASS: ")
			})
		}
	}
}

func build(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// failures leaves out what passes.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}
