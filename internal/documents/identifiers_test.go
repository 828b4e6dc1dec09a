// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"
	table "github.com/yuin/goldmark/extension/ast"
)

// ident finds the identifiers of the module in code: ns.Do, reexec.Pool.On, (*ns.Handle).FS.
var ident = regexp.MustCompile(`(?:^|[^\w./-])(` + strings.Join(slices.Collect(maps.Keys(packages)), "|") + `)\.([A-Z]\w*)(?:\)?\.([A-Z]\w*))?`)

// missing are the identifiers in the code that do not exist.
func missing(apis map[string]api, code string) (names []string) {
	for _, m := range ident.FindAllStringSubmatch(code, -1) {
		name := m[2]
		if m[3] != "" {
			name += "." + m[3]
		}
		if !apis[m[1]].names[name] {
			names = append(names, m[1]+"."+name)
		}
	}
	return names
}

// foreign are the heads of columns that show the code of others.
var foreign = map[string]bool{"theirs": true, "gons": true}

// isForeign tells whether a node stands in such a column, the first of its table.
func (d document) isForeign(n ast.Node) bool {
	for ; n != nil; n = n.Parent() {
		if cell, ok := n.(*table.TableCell); ok {
			head := cell.Parent().Parent().FirstChild().FirstChild()
			return cell.PreviousSibling() == nil && foreign[d.plain(head)]
		}
	}
	return false
}

// TestIdentifiers looks at what stands in backquotes.
func TestIdentifiers(t *testing.T) {
	apis := ours(t)
	for _, d := range documents(t) {
		each(d, func(c *ast.CodeSpan) {
			if !d.isForeign(c) {
				require.Empty(t, missing(apis, d.plain(c)), d.line(c))
			}
		})
	}
}

// TestIdentifiersInPictures looks at the texts of drawings.
func TestIdentifiersInPictures(t *testing.T) {
	apis := ours(t)
	pictures, err := filepath.Glob(filepath.Join(root, "docs", "*.svg"))
	require.NoError(t, err)
	require.NotEmpty(t, pictures)
	for _, name := range pictures {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for d := xml.NewDecoder(bytes.NewReader(source)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			if text, ok := token.(xml.CharData); ok {
				require.Empty(t, missing(apis, string(text)), name)
			}
		}
	}
}

func TestForeign(t *testing.T) {
	d := parse("x.md", []byte("| gons | ours |\n|---|---|\n| a `one` | `two` |\n\n| ours | x |\n|---|---|\n| `three` | |\n\n`four`\n"))
	var found []string
	each(d, func(c *ast.CodeSpan) {
		if d.isForeign(c) {
			found = append(found, d.plain(c))
		}
	})
	require.Equal(t, []string{"one"}, found)
}

// TestMissing holds the check against what it is to find.
func TestMissing(t *testing.T) {
	apis := ours(t)
	for code, want := range map[string][]string{
		"ns.Do":                          nil,
		"(*ns.Handle).FS":                nil,
		"ns.Handle.FS":                   nil,
		"f.Call(ctx, reexec.In(t), in)":  nil,
		"*cnsenter.Error":                nil,
		"foo.ns.Nothing":                 nil,
		"gons/reexec.CheckAction":        nil,
		"ns.Nothing":                     {"ns.Nothing"},
		"(*ns.Handle).Nothing":           {"ns.Handle.Nothing"},
		"reexec.In(launcher.Nothing, x)": {"launcher.Nothing"},
		"reexec.Pool.Off":                {"reexec.Pool.Off"},
	} {
		require.Equal(t, want, missing(apis, code), code)
	}
}
