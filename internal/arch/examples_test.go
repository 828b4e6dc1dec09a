// SPDX-License-Identifier: Apache-2.0

//go:build linux

package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const examples = "examples"

var (
	goBlock  = regexp.MustCompile("(?s)```go\n(.*?)```")
	listItem = regexp.MustCompile(`(?m)^\d+\. \[([\w-]+)\]\(([\w-]+)\): `)
	sibling  = regexp.MustCompile(`\]\(\.\./([\w-]+)\)`)
)

// tutorials are the directories of the tutorials.
func tutorials(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, examples))
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && e.Name() != "internal" {
			names = append(names, e.Name())
		}
	}
	require.NotEmpty(t, names)
	return names
}

// read returns a file of the module.
func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// A tutorial is a program that can be read in one go, a page that shows it, and a test.
func TestTutorials(t *testing.T) {
	const most = 80
	for _, name := range tutorials(t) {
		require.LessOrEqual(t, strings.Count(read(t, examples, name, "main.go"), "\n"), most, "lines of %s/main.go", name)
		tests, err := filepath.Glob(filepath.Join(root, examples, name, "*_test.go"))
		require.NoError(t, err)
		require.NotEmpty(t, tests, "%s has no test", name)

		code, err := filepath.Glob(filepath.Join(root, examples, name, "*.go"))
		require.NoError(t, err)
		blocks := goBlock.FindAllStringSubmatch(read(t, examples, name, "README.md"), -1)
		require.NotEmpty(t, blocks, "%s/README.md shows none of its code", name)
		for _, block := range blocks {
			require.True(t, slices.ContainsFunc(code, func(file string) bool {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				return shows(block[1], string(text))
			}), "%s/README.md shows what is not in its code:\n%s", name, block[1])
		}
	}
}

// shows tells whether an excerpt is some successive lines of a text, however they are indented.
func shows(excerpt, text string) bool {
	lines := flush(excerpt)
	return strings.TrimSpace(lines) != "" && strings.Contains("\n"+flush(text)+"\n", "\n"+lines+"\n")
}

// flush returns a text without the indentation of its lines, and without empty lines around it.
func flush(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// TestShows holds the comparison against what it is to refuse.
func TestShows(t *testing.T) {
	const text = "func f() {\n\tif a {\n\t\tb()\n\t}\n}\n"
	require.True(t, shows("if a {\n\tb()\n}\n", text))
	require.True(t, shows("  b()\n  ", text))
	require.False(t, shows("b(", text), "part of a line")
	require.False(t, shows("if a {\n}\n", text), "lines left out")
	require.False(t, shows("\n", text), "nothing")
}

// examples/README.md lists the tutorials in the order to read them in, and the last link of each leads to the next.
func TestTutorialsAreListedInOrder(t *testing.T) {
	var order []string
	for _, item := range listItem.FindAllStringSubmatch(read(t, examples, "README.md"), -1) {
		require.Equal(t, item[1], item[2], "a link of the list")
		require.NotContains(t, order, item[1], "listed twice")
		order = append(order, item[1])
	}
	for _, name := range tutorials(t) {
		at := slices.Index(order, name)
		require.NotEqual(t, -1, at, "examples/README.md does not list %s", name)
		if at == len(order)-1 {
			continue
		}
		links := sibling.FindAllStringSubmatch(read(t, examples, name, "README.md"), -1)
		require.NotEmpty(t, links, "%s/README.md leads nowhere", name)
		require.Equal(t, order[at+1], links[len(links)-1][1], "where %s/README.md leads", name)
	}
}
