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

		require.Contains(t, read(t, examples, name, "README.md"), "```go\n", "%s/README.md shows none of its code", name)
	}
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
