// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// advice is what to do about a difference.
const advice = "what is exported is no longer what docs/api says. If that is meant: make generate, and a line in CHANGELOG.md"

func TestExportedIsWhatDocsSay(t *testing.T) {
	fixture.Need(t, fixture.Program("go", "gcc"))
	const dir = "../../docs/api"
	now, err := lists()
	require.NoError(t, err)
	kept, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range kept {
		require.Contains(t, now, e.Name(), "a package has gone. If that is meant: remove docs/api/%s, and a line in CHANGELOG.md", e.Name())
	}
	for name, text := range now {
		kept, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err, advice)
		removed, added := differences(string(kept), text)
		require.Empty(t, removed, "%s: removed, or changed, which breaks programs: %s", name, advice)
		require.Empty(t, added, "%s: added: %s", name, advice)
	}
}

// differences are the lines that only one of two texts has.
func differences(before, after string) (removed, added []string) {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	missing := func(in []string) func(string) bool {
		return func(line string) bool { return slices.Contains(in, line) }
	}
	return slices.DeleteFunc(slices.Clone(a), missing(b)), slices.DeleteFunc(b, missing(a))
}

func TestLines(t *testing.T) {
	const source = `package p

import "io"

type ID int
type Number = int
type Box[T any] struct {
	Value, Other T
	hidden
	*io.LimitedReader
	secret int
}
type hidden struct{}
func (hidden) Promoted() {}
func (*Box[T]) Set(value T, more ...T) (old T, err error) { return }
func (ID) String() string { return "" }
func (ID) own() {}
type Able interface { Do(f func(n int) error) error; own() }
func Make[K comparable, V any](m map[K]V) (*Box[V], error) { return nil, nil }
func unexported() {}
const Answer ID = 42
var ErrNone, errOne error
`
	require.Equal(t, []string{
		"type Able interface",
		"type Able interface, Do(func(n int) error) error",
		"type Able interface, unexported methods",
		"const Answer ID = 42",
		"type Box[T any] struct",
		"type Box[T any] struct, Value T",
		"type Box[T any] struct, Other T",
		"type Box[T any] struct, embedded *io.LimitedReader",
		"method (hidden) Promoted()",
		"method (*Box[T]) Set(T, ...T) (T, error)",
		"var ErrNone error",
		"type ID int",
		"method (ID) String() string",
		"func Make[K comparable, V any](map[K]V) (*Box[V], error)",
		"type Number = int",
	}, lines(typed(t, source)))
}

// typed is a package of one file.
func typed(t *testing.T, source string) *types.Package {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", source, parser.SkipObjectResolution)
	require.NoError(t, err)
	config := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	p, err := config.Check("p", set, []*ast.File{file}, nil)
	require.NoError(t, err)
	return p
}
