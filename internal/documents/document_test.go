// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	table "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	fixture.Main(m)
}

// root is the module's directory.
const root = "../.."

// document is a Markdown file.
type document struct {
	path   string // from the module's root
	source []byte
	tree   ast.Node
}

func parse(path string, source []byte) document {
	parser := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser()
	return document{path, source, parser.Parse(text.NewReader(source))}
}

func read(t *testing.T, path string) document {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return parse(path, source)
}

// documents are all Markdown files of the module.
func documents(t *testing.T) (all []document) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		path, err = filepath.Rel(root, path)
		all = append(all, read(t, path))
		return err
	}))
	require.NotEmpty(t, all)
	return all
}

// each calls f with every node of type N.
func each[N ast.Node](d document, f func(N)) {
	_ = ast.Walk(d.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n, ok := n.(N); ok && entering {
			f(n)
		}
		return ast.WalkContinue, nil
	})
}

// plain is the text of a node, without marks.
func (d document) plain(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if leaf, ok := n.(*ast.Text); ok && entering {
			b.Write(leaf.Segment.Value(d.source))
			if leaf.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// line names the place where a block begins.
func (d document) line(n ast.Node) string {
	for n != nil && (n.Type() == ast.TypeInline || n.Lines().Len() == 0) {
		n = n.Parent()
	}
	if n == nil {
		return d.path
	}
	return fmt.Sprintf("%s:%d", d.path, 1+bytes.Count(d.source[:n.Lines().At(0).Start], []byte("\n")))
}

// column are the texts in backquotes in the first column of the table that has this head.
func (d document) column(head string) (texts []string) {
	each(d, func(t *table.Table) {
		if d.plain(t.FirstChild().FirstChild()) != head {
			return
		}
		for row := t.FirstChild().NextSibling(); row != nil; row = row.NextSibling() {
			for n := row.FirstChild().FirstChild(); n != nil; n = n.NextSibling() {
				if code, ok := n.(*ast.CodeSpan); ok {
					texts = append(texts, d.plain(code))
				}
			}
		}
	})
	return texts
}
