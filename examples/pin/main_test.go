// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/ns"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) {
	if os.Geteuid() == 0 {
		// It may be there already, if a run was broken off.
		_ = ns.Unpin(filepath.Join(ns.RunNetns, "tutorial-blue"))
	}
	transcript.Check(t, "README.md", fixture.UserNS)
	require.NoFileExists(t, filepath.Join(ns.RunNetns, "tutorial-blue"))
}

// The namespace of a container outlives it.
func TestOutlives(t *testing.T) {
	c := fixture.RuncContainer(t, fixture.ContainerSpec{})
	h, err := ns.OpenPID(c.PID, ns.Net)
	require.NoError(t, err)
	id := h.ID()
	require.NoError(t, h.Close())
	path := filepath.Join(t.TempDir(), "pin")
	require.NoError(t, do("add", path, c.PID))
	require.NoError(t, c.Close())

	h, err = ns.Open(path)
	require.NoError(t, err)
	require.Equal(t, id, h.ID())
	require.NoError(t, ns.Do(func() error { return nil }, h), "it can be entered")
	require.NoError(t, h.Close())
	require.NoError(t, do("del", path, 0))
	require.NoFileExists(t, path)
}

func TestErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pin")
	require.ErrorContains(t, do("list", path, 0), `"list" is neither add nor del`)
	require.ErrorIs(t, do("del", path, 0), fs.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	require.ErrorIs(t, do("del", path, 0), ns.ErrNotNamespace)
	require.ErrorIs(t, do("add", path, -1), syscall.ESRCH)
	if os.Geteuid() == 0 {
		require.ErrorIs(t, do("add", path, 0), fs.ErrExist)
	} else {
		require.ErrorIs(t, do("add", path, 0), fs.ErrPermission)
	}
	require.FileExists(t, path)
}
