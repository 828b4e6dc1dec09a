// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestParseLimit(t *testing.T) {
	const infinity = math.MaxUint64
	for line, want := range map[string]unix.Rlimit{
		"Max cpu time              unlimited            unlimited            seconds   ": {Cur: infinity, Max: infinity},
		"Max open files            1024                 1048576              files     ": {Cur: 1024, Max: 1048576},
		"Max nice priority         0                    0                    ":           {},
	} {
		name, limit, ok := parseLimit(line)
		require.True(t, ok, line)
		require.Contains(t, limitNames, name)
		require.Equal(t, want, limit)
	}
	for _, line := range []string{"", "Limit                     Soft Limit           Hard Limit           Units     ", "Max"} {
		_, _, ok := parseLimit(line)
		require.False(t, ok, line)
	}
}

// Every limit that this kernel lists is known, and its own are read as getrlimit(2) has them.
func TestEveryLimit(t *testing.T) {
	text, err := os.ReadFile("/proc/thread-self/limits")
	require.NoError(t, err)
	found := 0
	for line := range strings.Lines(string(text)) {
		name, limit, ok := parseLimit(line)
		if !ok {
			continue
		}
		found++
		require.Contains(t, limitNames, name)
		var want unix.Rlimit
		require.NoError(t, unix.Prlimit(0, limitNames[name], nil, &want))
		require.Equal(t, want, limit, name)
	}
	require.Len(t, limitNames, found)
}
