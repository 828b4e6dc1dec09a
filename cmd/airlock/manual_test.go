// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/stretchr/testify/require"
)

// The manual in the tree is what the tables make: "make generate" writes it.
func TestManualIsUpToDate(t *testing.T) {
	const docs = "../../docs"
	made := files()
	for name, text := range made {
		kept, err := os.ReadFile(filepath.Join(docs, name))
		require.NoError(t, err, "make generate")
		require.Equal(t, text, string(kept), "%s: make generate", name)
	}
	require.NoError(t, filepath.WalkDir(filepath.Join(docs, "man"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			require.Contains(t, made, filepath.Join("man", d.Name()))
		}
		return err
	}))
}

func TestManualPagesAreWellFormed(t *testing.T) {
	fixture.Need(t, fixture.Program("mandoc"))
	for name, text := range files() {
		if filepath.Ext(name) != ".1" {
			continue
		}
		lint := exec.Command("mandoc", "-T", "lint", "-W", "warning")
		lint.Stdin = strings.NewReader(text)
		out, _ := lint.CombinedOutput() // its status is that of the worst message
		for line := range strings.Lines(string(out)) {
			require.Contains(t, line, "missing date", name) // so that the pages change with their text only
		}
	}
}

// Every option has a help, and names that no other option of its command has.
func TestOptionTables(t *testing.T) {
	for _, c := range subcommands() {
		seen := map[string]bool{}
		for _, o := range c.options() {
			require.NotEmpty(t, o.help, "%s --%s", c.name, o.long)
			require.False(t, seen[o.long], "%s --%s", c.name, o.long)
			require.False(t, o.short != 0 && seen[string(o.short)], "%s -%c", c.name, o.short)
			seen[o.long], seen[string(o.short)] = true, true
			require.Equal(t, o.value == none, o.name == "", "%s --%s", c.name, o.long)
		}
	}
}
