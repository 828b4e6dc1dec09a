// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter/internal/wirecheck"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// seed is a message that Start sends, or almost one, with the number of its files.
type seed struct {
	message []byte
	files   int
	is      bool // a plan
}

// plans are plans of every kind of step.
func plans() []Plan {
	file := os.Stdin
	return []Plan{
		{},
		{Join(file, ns.All), Fork(), DropGroups(), SetGID(0), SetUID(0)},
		{Join(file, ns.User), Join(file, ns.Mount), FChdir(file), Setsid(), Terminal(), NoNewPrivs(), DieWithCaller()},
		{Setsid(), Terminal(), Fork(), Await(func(int) error { return nil }), Exec("true")},
		{Unshare(ns.Spec{Types: ns.User | ns.Time, Monotonic: -1}), Fork(), SetGroups(1, 2, 3), SetCaps(Caps{Bounding: 1})},
		{Mount("none", "/mnt", "tmpfs", 1, "size=1"), Attach(file, "/mnt"), Write(file, "attr/exec", "exec x"), Terminal()},
		{Await(func(int) error { return nil }), FChdirOutside(file)},
		{JoinCgroup(file), Chroot("/srv"), FChroot(file), Chdir("/deep/down"), SetUID(7), Exec("true")},
	}
}

// Where the numbers of struct airlock_header are, and at which edges they are tried.
const (
	atSteps = 4 * (1 + iota)
	atFiles
	atData
	atName
)

var edges = []uint32{
	0, 1, maxSteps, maxSteps + 1, wirecheck.MaxPlan, wirecheck.MaxPlan + 1, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32,
}

// seeds are those plans, their truncations at every byte, and their lengths at every edge.
func seeds(t testing.TB) (seeds []seed) {
	for _, name := range []string{"", "airlock"} {
		for _, plan := range plans() {
			require.NoError(t, plan.check())
			message, files, err := plan.encode(name, func(Step) string { return "advice" })
			require.NoError(t, err)
			seeds = append(seeds, seed{message, len(files), true})
			for n := range message {
				seeds = append(seeds, seed{message[:n], len(files), false})
			}
			number := func(at int) uint32 { return binary.NativeEndian.Uint32(message[at:]) }
			data := number(atData)
			for _, at := range []int{atSteps, atFiles, atData, atName} {
				for _, n := range append(edges, number(at)-1, number(at)+1) {
					edge := bytes.Clone(message)
					binary.NativeEndian.PutUint32(edge[at:], n)
					is := n == number(at)
					if at == atName { // a text begins at every place in the data
						is = n < data || n == wirecheck.None
					}
					seeds = append(seeds, seed{edge, len(files), is})
				}
			}
		}
	}
	return seeds
}

// TestSeeds has the constructor's checker look at every seed. AIRLOCK_SEEDS names a directory to which the seeds are written for libFuzzer: a
// byte for the number of files, and the message.
func TestSeeds(t *testing.T) {
	dir := os.Getenv("AIRLOCK_SEEDS")
	for i, s := range seeds(t) {
		_, ok := wirecheck.Check(s.message, s.files)
		require.Equal(t, s.is, ok, "%d: % x", i, s.message)
		if dir != "" {
			file := filepath.Join(dir, fmt.Sprintf("seed-%04d", i))
			require.NoError(t, os.WriteFile(file, append([]byte{byte(s.files)}, s.message...), 0o644))
		}
	}
	for files, is := range map[int]bool{wirecheck.MaxFiles: true, wirecheck.MaxFiles + 1: false} {
		message, _, err := Plan{}.encode("", nil)
		require.NoError(t, err)
		binary.NativeEndian.PutUint32(message[atFiles:], uint32(files))
		_, ok := wirecheck.Check(message, files)
		require.Equal(t, is, ok, "%d files", files)
	}
	for _, long := range []int{wirecheck.MaxPlan - 100, wirecheck.MaxPlan} {
		message, _, err := Plan{Chdir(strings.Repeat("/", long))}.encode("", nil)
		if err == nil {
			_, ok := wirecheck.Check(message, 0)
			require.True(t, ok)
		}
		require.Equal(t, long < wirecheck.MaxPlan, err == nil)
	}
}
