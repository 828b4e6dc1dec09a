// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommandTexts holds what airlock is said to say against the texts in its source.
func TestCommandTexts(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(root, "cmd/airlock/*.go"))
	require.NoError(t, err)
	engine, err := filepath.Glob(filepath.Join(root, "launcher/engine/*.go")) // airlock-engine says it, and airlock passes it on
	require.NoError(t, err)
	sources = append(sources, engine...)
	var texts []*regexp.Regexp
	for _, source := range sources {
		if !strings.HasSuffix(source, "_test.go") {
			texts = append(texts, formats(t, source)...)
		}
	}
	require.NotEmpty(t, texts)
	column := read(t, troubleshooting).column("airlock says")
	require.NotEmpty(t, column)
	for _, said := range column {
		require.True(t, slices.ContainsFunc(texts, func(text *regexp.Regexp) bool { return text.MatchString(said) }), "airlock does not say `%s`", said)
	}
}

var verb = regexp.MustCompile(`%(\\?\[\d\\?\])?[a-z]`)

// formats are the strings in a Go file, concatenated where they are added up, with anything in the place of what is formatted, and up to the
// end of a line.
func formats(t *testing.T, path string) (all []*regexp.Regexp) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		text, ok := constant(e)
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "%s: "), "\n")
		if ok && len(verb.ReplaceAllString(text, "")) > 12 { // else it would say anything
			all = append(all, regexp.MustCompile(`^([\w:/]+: )?`+verb.ReplaceAllString(regexp.QuoteMeta(text), ".+")+"$"))
		}
		return !ok
	})
	return all
}

// constant is the value of a string, or of a sum of strings.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := constant(e.X)
		right, also := constant(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}
