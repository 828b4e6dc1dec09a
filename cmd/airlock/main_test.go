// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be airlock, nsenter, the probe or hidden, by the name that it is called by.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "airlock", "nsenter":
		os.Exit(run(os.Args))
	case "probe":
		os.Exit(probe())
	case "hidden":
		hide()
	}
	fixture.Main(m)
}

// programs returns a directory that has the test binary under those names. Every user may execute it there.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "airlock-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "airlock"), self, 0o755))
	for _, name := range []string{"nsenter", "probe", "hidden"} {
		require.NoError(t, os.Symlink("airlock", filepath.Join(dir, name)))
	}
	return dir
}
