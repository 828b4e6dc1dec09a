// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// docLink is a link of a comment, as go(1) knows them: [Handle.FS], [cnsenter.Plan], [*Error].
var docLink = regexp.MustCompile(`(?:^|[\s(*])\[\*?(?:([a-z]\w*)\.)?([A-Z]\w*(?:\.[A-Z]\w*)?)\]`)

// dangling are the links of a comment that lead to nothing in the module. A link without a package is to the package of the comment.
func dangling(apis map[string]api, in, comment string) (links []string) {
	for line := range strings.Lines(comment) {
		if strings.HasPrefix(line, "\t") {
			continue // code
		}
		for _, m := range docLink.FindAllStringSubmatch(line, -1) {
			of := m[1]
			if of == "" {
				of = in
			}
			if a, ok := apis[of]; ok && !a.names[m[2]] {
				links = append(links, of+"."+m[2])
			}
		}
	}
	return links
}

// TestCommentLinks looks at all comments of the packages that can be imported.
func TestCommentLinks(t *testing.T) {
	apis := ours(t)
	for name, directory := range packages {
		files, err := filepath.Glob(filepath.Join(root, directory, "*.go"))
		require.NoError(t, err)
		for _, path := range files {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				if group, ok := n.(*ast.CommentGroup); ok {
					require.Empty(t, dangling(apis, name, group.Text()), set.Position(group.Pos()))
				}
				return true
			})
		}
	}
}

func TestDangling(t *testing.T) {
	apis := ours(t)
	require.Empty(t, dangling(apis, "ns", "See [Handle.FS], [*Error] and [exec.Cmd], net:[4026531840], a[I].\n\tx := m[Nothing]\n"))
	require.Equal(t, []string{"ns.Nothing", "reexec.Nothing.At"}, dangling(apis, "ns", "See [Nothing] ([reexec.Nothing.At])."))
}
