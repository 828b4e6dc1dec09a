// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every function, and every method of what a program holds, has a comment and an example that is run.
func TestEveryEntryPointHasAnExample(t *testing.T) {
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	if len(names) == 0 {
		return // TestInUserNamespace runs where the source is not
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "unsupported.go") || name == "keeper_linux_other.go" {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/airlock-ns/airlock/ns")
	require.NoError(t, err)
	check := func(name, comment string, examples []*doc.Example) {
		require.NotEmpty(t, comment, name)
		require.NotEmpty(t, examples, "no Example for %s", name)
		for _, e := range examples {
			require.NotEmpty(t, e.Output, "Example%s has no output", e.Name)
		}
	}
	for _, f := range pkg.Funcs {
		check(f.Name, f.Doc, f.Examples)
	}
	for _, typ := range pkg.Types {
		for _, f := range typ.Funcs {
			check(f.Name, f.Doc, f.Examples)
		}
		switch typ.Name {
		case "Handle", "Set", "FS", "Info":
			for _, m := range typ.Methods {
				check(typ.Name+"."+m.Name, m.Doc, m.Examples)
			}
		}
	}
}
