// SPDX-License-Identifier: Apache-2.0

package reexec_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	if slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz=") }) {
		os.Exit(m.Run()) // the goroutines that a fuzzing run leaves are not ours to count
	}
	fixture.Main(m)
}
