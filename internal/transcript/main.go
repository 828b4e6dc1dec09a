// SPDX-License-Identifier: Apache-2.0

//go:build linux

package transcript

import (
	"flag"
	"os"
	"os/exec"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

// tutorialVariable has a test binary be the tutorial that it tests, see Main.
const tutorialVariable = "AIRLOCK_TUTORIAL"

// Main is fixture.Main for a tutorial: where Check runs the test binary in its place, it is the tutorial, whose flags must be declared
// in its main. The tests may call its registered functions, too.
//
//	func TestMain(m *testing.M) { transcript.Main(m, main) }
func Main(m *testing.M, tutorial func()) {
	if os.Getenv(tutorialVariable) != "" {
		flag.CommandLine = flag.NewFlagSet(os.Args[0], flag.ExitOnError)
		flag.CommandLine.Usage = flag.Usage
		tutorial()
		os.Exit(0)
	}
	reexec.Init()
	fixture.Main(m)
}

// Command returns the tutorial that is being tested as a program to run.
func Command(arg ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", arg...)
	cmd.Env = append(os.Environ(), tutorialVariable+"=1")
	return cmd
}
