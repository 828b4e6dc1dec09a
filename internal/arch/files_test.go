// SPDX-License-Identifier: Apache-2.0

//go:build linux

package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// topLevel is all that may stand beside dot files; bin is what make airlock builds, dist what make dist does.
var topLevel = []string{
	"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md", "go.mod", "go.sum",
	"bin", "cmd", "cnsenter", "dist", "docs", "examples", "internal", "launcher", "ns", "reexec",
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			require.Contains(t, topLevel, e.Name())
		}
	}
}

// eachFile calls f with the path, from the module's root, and the text of every file with one of the extensions.
func eachFile(t *testing.T, f func(path string, text []byte), exts ...string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return fs.SkipDir
		}
		if d.IsDir() || !slices.Contains(exts, filepath.Ext(path)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		path, err = filepath.Rel(root, path)
		f(path, text)
		return err
	}))
}

func TestLicenceHeader(t *testing.T) {
	eachFile(t, func(path string, text []byte) {
		require.True(t, bytes.HasPrefix(text, []byte("// SPDX-License-Identifier: Apache-2.0\n")), path)
	}, ".go", ".c", ".h")
}

// selectors calls f with every name behind a dot in the module's Go files, and with the identifier before it: unix and Setns of
// unix.Setns, or "" if it is none.
func selectors(t *testing.T, f func(path, of, name string)) {
	t.Helper()
	eachFile(t, func(path string, text []byte) {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				of, _ := sel.X.(*ast.Ident)
				if of == nil {
					of = &ast.Ident{}
				}
				f(path, of.Name, sel.Sel.Name)
			}
			return true
		})
	}, ".go")
}

// in tells whether path lies in one of the directories.
func in(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(path, dir+"/") })
}

func TestNamespacesAreChangedOnlyInNsAndCnsenter(t *testing.T) {
	changes := []string{"Setns", "Unshare", "SYS_SETNS", "SYS_UNSHARE"}
	selectors(t, func(path, of, name string) {
		if of == "cnsenter" { // a step of a plan
			return
		}
		if !in(path, "ns", "cnsenter", "internal/fixture") && !strings.HasSuffix(path, "_test.go") {
			require.NotContains(t, changes, name, path)
		}
	})
}

func TestSkipsOnlyInFixture(t *testing.T) {
	skips := []string{"Skip", "Skipf", "SkipNow"}
	selectors(t, func(path, _, name string) {
		if !in(path, "internal/fixture") {
			require.NotContains(t, skips, name, path)
		}
	})
}
