// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

// Whoever breaks off has no process left, and has waited for no more than he wanted.
func TestBreakEndsTheWalk(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "a/b/c"), 0o755))
	var seen []string
	left, err := fixture.Left(func() {
		for e, err := range walk.Call(t.Context(), nil, root) { // nil: a plain copy of this program, which needs no cgo
			require.NoError(t, err)
			if seen = append(seen, string(e.Path)); len(seen) == 2 {
				break
			}
		}
	})
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, []string{root, filepath.Join(root, "a")}, seen)
}

// Names come as they are, and what is seen inside is what was planted there.
func TestNames(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	const name = "/data/not\xffUTF-8\n"
	box := fixture.New(t, fixture.Spec{User: true, PID: true, Root: true, Files: map[string]string{name: "12345"}})
	inside, err := launcher.PID(box.PID, ns.User|ns.Mount)
	require.NoError(t, err)
	defer inside.Close()
	var found []entry
	for e, err := range walk.Call(t.Context(), reexec.In(inside), "/data") {
		require.NoError(t, err)
		found = append(found, e)
	}
	require.Len(t, found, 2)
	require.Equal(t, entry{[]byte(name), 0o644, 5}, found[1])
}

func TestNoSuchDirectory(t *testing.T) {
	n := 0
	for e, err := range walk.Call(t.Context(), nil, "/nope") {
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.Zero(t, e)
		n++
	}
	require.Equal(t, 1, n, "the error is the last thing that a stream gives")
}
