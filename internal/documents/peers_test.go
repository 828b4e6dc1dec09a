// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"
	table "github.com/yuin/goldmark/extension/ast"

	"github.com/airlock-ns/airlock/internal/fixture"
)

const migrating = "docs/migrating.md"

// peer is another project's package in a fixed version, and what it exports but for fields.
type peer struct {
	module, version, directory string // github.com/thediveo/gons, v0.9.9, reexec
	names                      []string
}

func (p peer) path() string { return strings.TrimSuffix(p.module+"/"+p.directory, "/") }

var listing = regexp.MustCompile(`^([^@\s]+)@([^/\s]+)/?(\S*)$`)

// peers reads their list.
func peers(t *testing.T) (all []peer) {
	t.Helper()
	text, err := os.ReadFile("testdata/peers.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "\t"); ok {
			all[len(all)-1].names = append(all[len(all)-1].names, name)
			continue
		}
		m := listing.FindStringSubmatch(line)
		require.NotNil(t, m, line)
		all = append(all, peer{module: m[1], version: m[2], directory: m[3]})
	}
	require.NotEmpty(t, all)
	return all
}

// theirs are, by the package in the heading above, the names in the first columns of a document's tables.
func (d document) theirs() map[string][]string {
	all := map[string][]string{}
	path := ""
	for n := d.tree.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			path = ""
			if code, ok := n.FirstChild().(*ast.CodeSpan); ok {
				path = d.plain(code)
			}
		case *table.Table:
			for row := n.FirstChild(); row != nil && path != ""; row = row.NextSibling() {
				for c := row.FirstChild().FirstChild(); c != nil; c = c.NextSibling() {
					if code, ok := c.(*ast.CodeSpan); ok && isName.MatchString(d.plain(code)) {
						all[path] = append(all[path], d.plain(code))
					}
				}
			}
		}
	}
	return all
}

// isName tells identifiers that are exported from other code.
var isName = regexp.MustCompile(`^[A-Z]\w*(\.[A-Z]\w*)?$`)

// TestTablesAreComplete holds the tables against what the others export: nothing is left out, nothing made up.
func TestTablesAreComplete(t *testing.T) {
	tables := read(t, migrating).theirs()
	for _, p := range peers(t) {
		names := slices.Sorted(slices.Values(tables[p.path()]))
		require.Equal(t, p.names, names, "%s: %s", migrating, p.path())
		delete(tables, p.path())
	}
	require.Empty(t, tables, "packages that are not in testdata/peers.txt")
}

// TestPeersAreAsListed holds the list against the source of those that this module requires.
func TestPeersAreAsListed(t *testing.T) {
	fixture.Need(t, fixture.Program("go"))
	found := 0
	for _, p := range peers(t) {
		cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", p.module)
		cmd.Dir = root
		out, err := cmd.Output()
		version, directory, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if err != nil || version != p.version {
			continue // not required, or only in another version: what a version exports never changes
		}
		found++
		a := exported(t, filepath.Join(directory, p.directory))
		maps.DeleteFunc(a.names, func(name string, _ bool) bool { return a.fields[name] })
		require.Equal(t, slices.Sorted(maps.Keys(a.names)), p.names, p.path())
	}
	require.NotZero(t, found)
}
