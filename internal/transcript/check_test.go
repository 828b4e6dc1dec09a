// SPDX-License-Identifier: Apache-2.0

//go:build linux

package transcript

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

func TestMain(m *testing.M) { fixture.Main(m) }

func write(t *testing.T, text string) string {
	name := filepath.Join(t.TempDir(), "doc.md")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	return name
}

// What a document says is compared with both streams and the exit status; the commands run at the top of the module.
func TestCheck(t *testing.T) {
	fixture.Need(t, fixture.Program("bash"))
	Check(t, write(t, "<!-- status: 3 -->\n```console\n$ echo out; echo err >&2\nout\nerr\n$ head -n 1 go.mod\nmodule github.com/airlock-ns/airlock\n$ exit 3\n```\n"))
}

func TestCheckFolder(t *testing.T) {
	fixture.Need(t, fixture.Program("bash"))
	Check(t, write(t, "<!-- in: an empty folder -->\n```console\n$ ls -A\n$ mkdir a && cd a\n$ basename $PWD\na\n```\n"))
}

func TestCheckContainer(t *testing.T) {
	fixture.Need(t, fixture.Docker)
	Check(t, write(t, "<!-- container: docker web -->\n```console\n# docker exec web hostname; docker inspect -f '{{.Name}}' web\nweb\n/web\n```\n"))
}

// What the race detector says of itself is no output of the command.
func TestCheckIgnoresTheRaceDetector(t *testing.T) {
	fixture.Need(t, fixture.Program("bash"))
	const warning = "==8==WARNING: reading executable name failed with errno 2, some stack frames may not be symbolized"
	Check(t, write(t, "```console\n$ echo out; echo "+warning+" >&2; echo err >&2\nout\nerr\n```\n"))
}

// A document that differs is rewritten, and nothing else of it.
func TestUpdate(t *testing.T) {
	fixture.Need(t, fixture.Program("bash"))
	name := write(t, "a\n\n```console\n$ echo 1; echo 2\n$ echo 3 # 5ms\n…\n```\n\nb\n\n```console\n$ echo 4\n5\n```\n")
	*update = true
	defer func() { *update = false }()
	Check(t, name)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "a\n\n```console\n$ echo 1; echo 2\n1\n2\n$ echo 3 # 5ms\n…\n```\n\nb\n\n```console\n$ echo 4\n4\n```\n", string(text))
}
