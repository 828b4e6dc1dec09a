// SPDX-License-Identifier: Apache-2.0

//go:build linux

package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var promiseTest = regexp.MustCompile(`TestPromise[0-9]{2}`)

// SECURITY.md names a test for each promise, and each is there.
func TestEveryPromiseHasATest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "SECURITY.md"))
	require.NoError(t, err)
	named := map[string]bool{}
	for _, name := range promiseTest.FindAllString(string(text), -1) {
		named[name] = true
	}
	tests := map[string]bool{}
	eachFile(t, func(_ string, text []byte) {
		for _, name := range regexp.MustCompile(`func (TestPromise[0-9]{2})`).FindAllSubmatch(text, -1) {
			tests[string(name[1])] = true
		}
	}, ".go")
	for number := 1; number <= 31; number++ {
		name := fmt.Sprintf("TestPromise%02d", number)
		require.True(t, named[name], "SECURITY.md does not name %s", name)
		require.True(t, tests[name], "there is no %s", name)
	}
}
