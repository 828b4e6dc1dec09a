// SPDX-License-Identifier: Apache-2.0

//go:build linux

package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestReadme(t *testing.T) {
	top := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(top, "README.md"))
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 120, "lines")
	require.Contains(t, string(text), "make demo")
	require.Contains(t, string(text), "make test")

	blocks := goBlock.FindAllSubmatch(text, -1)
	require.NotEmpty(t, blocks, "no example")
	for _, block := range blocks {
		file := filepath.Join(t.TempDir(), "main.go")
		require.NoError(t, os.WriteFile(file, block[1], 0o644))
		build := exec.Command("go", "build", "-o", os.DevNull, file)
		build.Dir = top
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
