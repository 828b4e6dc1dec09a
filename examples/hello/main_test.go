// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

// Nowhere to go to is a place, too: a copy of the program out here.
func TestOutside(t *testing.T) {
	s, err := look.Call(t.Context(), nil, "main.go")
	require.NoError(t, err)
	hostname, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, hostname, s.Hostname)
	require.NotEqual(t, os.Getpid(), s.PID)
	require.Contains(t, s.File, "package main")
}

// A function is tested like any other, in this process.
func TestInProcess(t *testing.T) {
	s, err := look.Call(t.Context(), reexec.InProcess(), "main.go")
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), s.PID)
}

// The error of the function arrives as it was.
func TestNoSuchFile(t *testing.T) {
	_, err := look.Call(t.Context(), nil, "/nope")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "reexec: look: run: open /nope: no such file or directory")
}
