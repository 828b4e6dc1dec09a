// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	markdown "github.com/yuin/goldmark/ast"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// commands is made of the tables of cmd/airlock, whose TestExamplesParse checks the commands in it.
const commands = "docs/commands.md"

// shared is where packages are that several tutorials have in common.
const shared = "examples/internal/*"

// isTutorial tells whether a document explains the program beside it.
func (d document) isTutorial() bool { return strings.HasPrefix(d.path, "examples/") }

// blocks calls f with every code block, and its language.
func (d document) blocks(f func(where, language, text string)) {
	each(d, func(b *markdown.FencedCodeBlock) {
		f(d.line(b), string(b.Language(d.source)), string(b.Lines().Value(d.source)))
	})
	each(d, func(b *markdown.CodeBlock) { f(d.line(b), "", string(b.Lines().Value(d.source))) })
}

// dedent takes off the tabs that all lines begin with, apart from empty ones.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	common := -1
	for _, line := range lines {
		if tabs := len(line) - len(strings.TrimLeft(line, "\t")); line != "" && (common < 0 || tabs < common) {
			common = tabs
		}
	}
	for i, line := range lines {
		if line != "" {
			lines[i] = line[common:]
		}
	}
	return strings.Join(lines, "\n")
}

// isExcerpt tells whether text is part of a file with this extension in the directory, which may be a pattern, at whatever indentation. A line of "…" stands for
// what is left out.
func isExcerpt(directory, extension, text string) bool {
	names, _ := filepath.Glob(filepath.Join(root, directory, "*"+extension))
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err == nil && holds(string(file), text) {
			return true
		}
	}
	return false
}

// leftOut is a line that stands for others, and none that ends in an ellipsis.
var leftOut = regexp.MustCompile(`(?m)^\s*…\n`)

// holds tells whether a file has all parts of the excerpt, one after the other.
func holds(file, excerpt string) bool {
	for _, part := range leftOut.Split(excerpt, -1) {
		lines := strings.Count(part, "\n")
		all := strings.SplitAfter(file, "\n")
		found := false
		for i := 0; i+lines <= len(all) && !found; i++ {
			if dedent(strings.Join(all[i:i+lines], "")) == dedent(part) {
				file, found = strings.Join(all[i+lines:], ""), true
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// transcribed are the documents whose console blocks a test runs: those that a call of transcript.Check names.
func transcribed(t *testing.T) map[string]bool {
	all := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) >= 2 {
				of, _ := call.Fun.(*ast.SelectorExpr)
				name, _ := call.Args[1].(*ast.BasicLit)
				if of != nil && of.Sel.Name == "Check" && name != nil && name.Kind == token.STRING {
					if by, ok := of.X.(*ast.Ident); ok && by.Name == "transcript" {
						document, _ := strconv.Unquote(name.Value)
						document, _ = filepath.Rel(root, filepath.Join(filepath.Dir(path), document))
						all[document] = true
					}
				}
			}
			return true
		})
		return nil
	}))
	return all
}

// TestBlocks finds for every code block who checks it.
func TestBlocks(t *testing.T) {
	checked := transcribed(t)
	for _, d := range documents(t) {
		directory := filepath.Dir(d.path)
		d.blocks(func(where, language, text string) {
			switch language {
			case "console":
				require.True(t, checked[d.path], "%s: no test calls transcript.Check for this document", where)
			case "go":
				if d.isTutorial() {
					found := isExcerpt(directory, ".go", text) || isExcerpt(shared, ".go", text)
					require.True(t, found, "%s: not an excerpt of a program in %s, or of a package of the tutorials", where, directory)
				}
			case "yaml", "json":
				require.True(t, isExcerpt(directory, "."+language, text), "%s: not an excerpt of a file in %s", where, directory)
			case "sh":
				require.Equal(t, commands, d.path, "%s: commands stand in console blocks, which are run", where)
			default:
				require.Fail(t, "a block that nothing checks", "%s: %q", where, language)
			}
		})
	}
}

// TestGo builds the programs in documents, where they stand for themselves.
func TestGo(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Program("go"))
	for _, d := range documents(t) {
		if d.isTutorial() {
			continue
		}
		d.blocks(func(where, language, text string) {
			if language != "go" {
				return
			}
			file := filepath.Join(t.TempDir(), "main.go")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
			build := exec.Command("go", "build", "-o", os.DevNull, file)
			build.Dir = root
			out, err := build.CombinedOutput()
			require.NoError(t, err, "%s: %s", where, out)
		})
	}
}

func TestHolds(t *testing.T) {
	const file = "a\n\tb\n\t\tc\n\n\td\ne\nf …\n"
	for text, want := range map[string]bool{
		"a\n": true, "b\n\tc\n\nd\n": true, "\tb\n\t\tc\n": true, "a\n…\ne\n": true, "a\n…\nd\n": true, "e\nf …\n": true, "f …\nx\n": false,
		"b\nc\n": false, "e\n…\na\n": false, "a": false, "x\n": false,
	} {
		require.Equal(t, want, holds(file, text), "%q", text)
	}
}
