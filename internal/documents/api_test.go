// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages are the module's, by name, for users to import.
var packages = map[string]string{
	"ns": "ns", "cnsenter": "cnsenter", "atstart": "cnsenter/atstart", "oneproc": "cnsenter/oneproc", "reexec": "reexec",
	"launcher": "launcher", "container": "launcher/container", "engine": "launcher/engine",
}

// api is what a package exports: "Do", "Handle", "Handle.FS", "Error.Op", on whatever system, with or without cgo.
type api struct {
	names  map[string]bool
	errs   map[string]bool // the variables and types among them that are errors
	fields map[string]bool // those that are fields of a struct
}

// exported reads the Go files of a directory, without tests.
func exported(t *testing.T, directory string) api {
	t.Helper()
	a := api{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(directory, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files, directory)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				a.function(d)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					a.spec(s)
				}
			}
		}
	}
	return a
}

func (a api) add(of, name string) {
	switch {
	case !token.IsExported(name):
	case of == "":
		a.names[name] = true
	case token.IsExported(of):
		a.names[of+"."+name] = true
	}
}

func (a api) function(d *ast.FuncDecl) {
	of := ""
	if d.Recv != nil {
		of = receiver(d.Recv.List[0].Type)
	}
	a.add(of, d.Name.Name)
	if token.IsExported(of) && d.Name.Name == "Error" && d.Type.Params.NumFields() == 0 {
		a.errs[of] = true
	}
}

// receiver is the name of a receiver's type: T of *T[K, V].
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func (a api) spec(s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			a.add("", name.Name)
			if strings.HasPrefix(name.Name, "Err") {
				a.errs[name.Name] = true
			}
		}
	case *ast.TypeSpec:
		a.add("", s.Name.Name)
		var members *ast.FieldList
		isStruct := false
		switch t := s.Type.(type) {
		case *ast.StructType:
			members, isStruct = t.Fields, true
		case *ast.InterfaceType:
			members = t.Methods
		default:
			return
		}
		for _, m := range members.List {
			for _, name := range m.Names {
				a.add(s.Name.Name, name.Name)
				a.fields[s.Name.Name+"."+name.Name] = isStruct
			}
			if m.Names == nil {
				name := embedded(m.Type)
				a.add(s.Name.Name, name)
				a.fields[s.Name.Name+"."+name] = true
			}
		}
	}
}

// embedded is the name of a field that has none of its own: T of *p.T.
func embedded(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if of, ok := e.(*ast.SelectorExpr); ok {
		return of.Sel.Name
	}
	return receiver(e)
}

// ours are the module's packages by name.
func ours(t *testing.T) map[string]api {
	all := map[string]api{}
	for name, directory := range packages {
		all[name] = exported(t, filepath.Join(root, directory))
	}
	return all
}

// No package that can be imported is left out.
func TestPackages(t *testing.T) {
	known := map[string]bool{}
	for _, directory := range packages {
		known[directory] = true
	}
	for _, top := range []string{"ns", "cnsenter", "reexec", "launcher"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if d.Name() == "internal" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			path, err = filepath.Rel(root, path)
			require.True(t, known[path], path)
			return err
		}))
	}
}

func TestExported(t *testing.T) {
	a := exported(t, filepath.Join(root, "reexec"))
	for _, name := range []string{"Init", "Func", "Func.Call", "Pool.MaxIdle", "Starter.Start", "ErrStuck", "StageRun", "File.File"} {
		require.True(t, a.names[name], name)
	}
	require.False(t, a.names["conn"])
	require.True(t, a.errs["Error"])
	require.True(t, a.errs["ErrStuck"])
	require.False(t, a.errs["Func"])
}
