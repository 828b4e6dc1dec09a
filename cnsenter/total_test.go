// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter/internal/wirecheck"
	"github.com/stretchr/testify/require"
)

// Whatever the constructor is sent in place of a plan, its checker says so: cut off at every byte, and with every number in it at the
// edges of what a number can be. What it reads is memory that ends where the message does. The fuzz targets go on from here.
func TestPromise12CheckerIsTotal(t *testing.T) {
	edges := []uint32{0, 1, 2, wirecheck.MaxSteps, wirecheck.MaxSteps + 1, wirecheck.MaxFiles + 1, wirecheck.MaxPlan, 1 << 31, wirecheck.None - 1, math.MaxUint32}
	for _, plan := range plans() {
		message, files, err := plan.encode("airlock", func(Step) string { return "advice" })
		require.NoError(t, err)
		_, ok := wirecheck.Check(message, len(files))
		require.True(t, ok)
		for n := range message {
			_, ok := wirecheck.Check(message[:n], len(files))
			require.False(t, ok, "%d bytes of %d", n, len(message))
		}
		for _, count := range []int{-1, 1, wirecheck.MaxFiles} {
			_, ok := wirecheck.Check(message, len(files)+count)
			require.False(t, ok, "%d files", len(files)+count)
		}
		for at := 0; at+4 <= len(message); at += 4 {
			for _, edge := range edges {
				changed := append([]byte(nil), message...)
				binary.NativeEndian.PutUint32(changed[at:], edge)
				if read, ok := wirecheck.Check(changed, len(files)); ok { // it may be another plan
					require.LessOrEqual(t, len(read.Steps), wirecheck.MaxSteps)
					for _, step := range read.Steps {
						require.True(t, step.File == wirecheck.None || int(step.File) < len(files))
					}
				}
			}
		}
	}
}
