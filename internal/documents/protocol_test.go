// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The frames that are explained are those of package reexec, in its order.
func TestFrames(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "reexec/frame.go"), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var kinds []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := strings.CutPrefix(spec.Names[0].Name, "kind"); ok {
				kinds = append(kinds, strings.ToLower(kind))
			}
		}
		return true
	})
	require.Equal(t, kinds, read(t, "docs/how-it-works.md").column("frame"))
}
