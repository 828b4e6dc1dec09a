// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"
)

// anchors are the names of a document's headings, as GitHub makes them: the text in lower case, without what is neither a letter, a digit,
// a hyphen nor a low line, with hyphens for spaces, and numbered from the second of a name on.
func (d document) anchors() map[string]bool {
	all := map[string]bool{}
	each(d, func(h *ast.Heading) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
				return unicode.ToLower(r)
			}
			return -1
		}, d.plain(h))
		numbered := name
		for n := 1; all[numbered]; n++ {
			numbered = fmt.Sprintf("%s-%d", name, n)
		}
		all[numbered] = true
	})
	return all
}

// inHTML are the places to which the HTML in a document leads.
var inHTML = regexp.MustCompile(`(?:href|src|srcset)="([^"]*)"`)

// links calls f with every place that the document leads to.
func (d document) links(f func(where, to string)) {
	each(d, func(l *ast.Link) { f(d.line(l), string(l.Destination)) })
	each(d, func(i *ast.Image) { f(d.line(i), string(i.Destination)) })
	html := func(where string, text []byte) {
		for _, m := range inHTML.FindAllSubmatch(text, -1) {
			f(where, string(m[1]))
		}
	}
	each(d, func(b *ast.HTMLBlock) { html(d.line(b), b.Lines().Value(d.source)) })
	each(d, func(r *ast.RawHTML) { html(d.line(r), r.Segments.Value(d.source)) })
}

// broken says what is wrong with a link, or "".
func (d document) broken(to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme == "https" || u.Scheme == "mailto":
		return ""
	case u.Scheme != "" || u.Host != "":
		return "neither https nor a file of the module"
	}
	aim := d
	if u.Path != "" {
		path := filepath.Join(filepath.Dir(d.path), u.Path)
		if !filepath.IsLocal(path) {
			return "it leads out of the module"
		}
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			return err.Error()
		}
		if u.Fragment == "" {
			return ""
		}
		if filepath.Ext(path) != ".md" {
			return "an anchor in what is no document"
		}
		source, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err.Error()
		}
		aim = parse(path, source)
	}
	if !aim.anchors()[u.Fragment] {
		return "no such heading"
	}
	return ""
}

func TestLinks(t *testing.T) {
	for _, d := range documents(t) {
		d.links(func(where, to string) {
			require.Empty(t, d.broken(to), "%s: %s", where, to)
		})
	}
}

func TestAnchors(t *testing.T) {
	d := parse("x.md", []byte("# The `reexec.Pool`: *warm* workers, Größe_1\n\n## a - b\n\n## A - B\n\n## a--b\n"))
	require.Equal(t, map[string]bool{"the-reexecpool-warm-workers-größe_1": true, "a---b": true, "a---b-1": true, "a--b": true}, d.anchors())
}

// TestBroken holds the check against what it is to find.
func TestBroken(t *testing.T) {
	d := parse("docs/x.md", []byte("# One\n\n[a](no.md) [b](#two) [c](../README.md#no) [d](../../out.md) [e](http://example.org) [f](../go.mod#L1)\n"+
		"![g](no.svg) <img src=\"no.png\">\n\n[h](#one) [i](../README.md) [j](https://example.org) [k](../ns)\n"))
	var found []string
	d.links(func(_, to string) {
		if d.broken(to) != "" {
			found = append(found, to)
		}
	})
	require.Equal(t, []string{"no.md", "#two", "../README.md#no", "../../out.md", "http://example.org", "../go.mod#L1", "no.svg", "no.png"}, found)
}
