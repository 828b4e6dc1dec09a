// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the manual shows are command lines that airlock takes: commands and options that there are.
func TestExamplesParse(t *testing.T) {
	seen := 0
	for _, p := range pages() {
		for _, s := range p.sections {
			for _, text := range s.text {
				words := strings.Fields(text)
				if !strings.HasPrefix(text, "  airlock ") || strings.Contains(text, "[") {
					continue // prose, or a synopsis
				}
				if strings.HasPrefix(words[1], "-") {
					require.Contains(t, []string{"--help", "--version"}, words[1], text)
					continue
				}
				at := slices.IndexFunc(subcommands(), func(c subcommand) bool { return c.name == words[1] })
				require.NotEqual(t, -1, at, text)
				c := subcommands()[at]
				if c.tables == nil {
					continue
				}
				seen++
				tables := c.tables()
				for _, options := range tables {
					for i := range options {
						options[i].set = func(string, bool) error { return nil } // which asks nothing of this machine
					}
				}
				_, err := parse(tables[0], words[2:], tables[1:]...)
				require.NoError(t, err, text)
			}
		}
	}
	require.NotZero(t, seen)
}
