// SPDX-License-Identifier: Apache-2.0

//go:build linux

package transcript

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

var update = flag.Bool("update", false, "rewrite the documents: what commands print takes the place of what they were to print")

// patience is how long a command may take, on a machine that has much else to do.
const patience = 6 * time.Minute

// requirements are those that a document can name besides programs.
var requirements = map[string]fixture.Requirement{
	"root": fixture.Root, "user namespaces": fixture.UserNS, "cgo": fixture.Cgo,
	"docker": fixture.Docker, "podman": fixture.Podman, "rootless podman": fixture.RootlessPodman, "runc": fixture.Runc,
	"subordinate ids": fixture.SubordinateIDs,
}

// engines are those whose containers a document can have.
var engines = map[string]func(testing.TB, fixture.ContainerSpec) *fixture.Container{
	"docker": fixture.DockerContainer, "podman": fixture.PodmanContainer, "runc": fixture.RuncContainer,
}

// Check runs the console blocks of a document, a subtest each, and compares. It skips what the requirements of the document, or those
// of a block, are not met for. Without any block it fails.
func Check(t *testing.T, document string, needs ...fixture.Requirement) {
	t.Helper()
	fixture.Need(t, needs...)
	source, err := os.ReadFile(document)
	require.NoError(t, err)
	blocks, err := parse(source)
	require.NoError(t, err, document)
	require.NotEmpty(t, blocks, "%s has no console block", document)
	stage := newStage(t, blocks)
	updated := string(source)
	for i, b := range slices.Backward(blocks) { // from the last, so that what is rewritten moves nothing that is still to come
		t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
			stage.run(t, &blocks[i])
			updated = updated[:b.start] + blocks[i].text() + updated[b.end:]
		})
	}
	if *update && updated != string(source) {
		require.NoError(t, os.WriteFile(document, []byte(updated), 0o644))
	}
}

// stage is where the commands of a document run.
type stage struct {
	root string // of the module
	path string // $PATH
}

func newStage(t *testing.T, blocks []block) *stage {
	root, err := moduleRoot()
	require.NoError(t, err)
	bin := t.TempDir()
	if tutorial := tutorialName(root); tutorial != "" {
		self, err := os.Executable()
		require.NoError(t, err)
		require.NoError(t, os.Symlink(self, filepath.Join(bin, tutorial)))
	}
	isProduct := regexp.MustCompile(`\bairlock(-engine)?\b`)
	if slices.ContainsFunc(blocks, func(b block) bool {
		return slices.ContainsFunc(b.commands, func(c command) bool { return isProduct.MatchString(c.text) })
	}) {
		build := exec.Command("go", "build", "-o", bin, "./cmd/airlock", "./cmd/airlock-engine")
		build.Dir = root
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return &stage{root, bin + ":" + os.Getenv("PATH")}
}

// moduleRoot is the directory above with go.mod in it.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == "/" {
			return "", errors.New("no go.mod above the working directory")
		}
	}
	return "", err
}

// tutorialName is the name of the tutorial that is being tested, or "".
func tutorialName(root string) string {
	dir, err := os.Getwd()
	if err != nil || filepath.Dir(dir) != filepath.Join(root, "examples") {
		return ""
	}
	return filepath.Base(dir)
}

// run runs the commands of a block, and puts what they print in place of what they were to print, where the two do not agree.
func (s *stage) run(t *testing.T, b *block) {
	for _, need := range b.needs {
		if r, ok := requirements[need]; ok {
			fixture.Need(t, r)
		} else {
			fixture.Need(t, fixture.Program(need))
		}
	}
	if slices.ContainsFunc(b.commands, func(c command) bool { return c.prompt == "# " }) {
		fixture.Need(t, fixture.Root)
	}
	name, id := "", ""
	if b.container != nil {
		fixture.Need(t, requirements[b.container[0]])
		start := engines[b.container[0]]
		require.NotNil(t, start, "no such engine: %s", b.container[0])
		name = b.container[1]
		id = start(t, fixture.ContainerSpec{Hostname: name}).ID
	}
	dir := s.root
	if b.apart {
		dir = t.TempDir()
	}
	for i := range b.commands {
		c := &b.commands[i]
		var got string
		var status int
		got, dir, status = s.command(t, rename(c.text, name, id), dir)
		got = rename(got, id, name)
		want := 0
		if i == len(b.commands)-1 {
			want = b.status
		}
		require.Equal(t, want, status, "exit status of %s, which printed:\n%s", c.text, got)
		if agree(c.output, got, b.varies) {
			continue
		}
		if !*update {
			require.Equal(t, c.output, got, "what %s prints", c.text)
		}
		c.output = got
	}
}

// rename replaces a name, where it is a word of its own.
func rename(text, from, to string) string {
	if from == "" {
		return text
	}
	return regexp.MustCompile(`\b`+regexp.QuoteMeta(from)+`\b`).ReplaceAllLiteralString(text, to)
}

// sanitizer is what a program with the race detector says where it cannot see its own file, as in the mount namespace of others.
var sanitizer = regexp.MustCompile(`(?m)^==\d+==WARNING: reading executable name failed .*\n`)

// command runs a command in dir, and returns what it prints, the directory that it ends in, and its exit status.
func (s *stage) command(t *testing.T, text, dir string) (output, end string, status int) {
	if tutorial := tutorialName(s.root); tutorial != "" {
		text = regexp.MustCompile(`go run \./examples/`+regexp.QuoteMeta(tutorial)+`( |$)`).ReplaceAllString(text, tutorial+"$1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	left := filepath.Join(t.TempDir(), "left") // where the shell says which directory it has left
	cmd := exec.CommandContext(ctx, "bash", "-c", "trap 'pwd -P >"+left+"' EXIT\n"+text)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), ofMake)
	cmd.Env = append(cmd.Env, "PATH="+s.path, "LC_ALL=C.UTF-8", tutorialVariable+"=1")
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err, "%s: %s", text, out)
	}
	require.NoError(t, ctx.Err(), "%s: %s", text, out)
	if output = sanitizer.ReplaceAllString(string(out), ""); output != "" {
		output = strings.TrimRight(output, "\n") + "\n"
	}
	pwd, err := os.ReadFile(left)
	require.NoError(t, err, text)
	return output, strings.TrimSuffix(string(pwd), "\n"), cmd.ProcessState.ExitCode()
}

// ofMake tells whether a variable is what make(1) hands on to a make that it has started, which then says where it works.
func ofMake(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return name == "MAKEFLAGS" || name == "MAKELEVEL" || name == "MFLAGS"
}
