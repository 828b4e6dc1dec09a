// SPDX-License-Identifier: Apache-2.0

//go:build linux

package newcomer

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
)

func TestMain(m *testing.M) { fixture.Main(m) }

const top = "../.."

var example = regexp.MustCompile("(?s)```go\n(.*?)```")

func TestReadme(t *testing.T) {
	text, err := os.ReadFile(top + "/README.md")
	require.NoError(t, err)
	require.LessOrEqual(t, strings.Count(string(text), "\n"), 120, "lines")
	build := exec.Command("go", "build", "-o", os.DevNull, program(t))
	build.Dir = top
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// program is the path of a file with the README's program.
func program(t *testing.T) string {
	text, err := os.ReadFile(top + "/README.md")
	require.NoError(t, err)
	blocks := example.FindAllSubmatch(text, -1)
	require.Len(t, blocks, 1, "programs in the README")
	name := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(name, blocks[0][1], 0o644))
	return name
}

// TestNewcomer runs the README's commands as somebody does who has Go, and not this repository: the module comes from a proxy, which has
// what is in this tree as its newest version, and $EDITOR, where the README says to use it, writes the program that stands there.
func TestNewcomer(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS, fixture.Program("go"))
	dir := t.TempDir()
	publish(t, dir+"/proxy", "v0.1.0")
	t.Setenv("GOPROXY", "file://"+dir+"/proxy,file://"+goEnv(t, "GOMODCACHE")+"/cache/download")
	t.Setenv("GOMODCACHE", dir+"/mod")
	t.Setenv("GOSUMDB", "off")                                         // it does not know our version
	t.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -modcacherw -trimpath") // the compiled packages of one run then serve the next
	require.NoError(t, os.WriteFile(dir+"/editor", []byte("#!/bin/sh\nexec cp "+program(t)+" \"$1\"\n"), 0o755))
	t.Setenv("EDITOR", dir+"/editor")
	// What make demo needs is fetched before, for that is told.
	fetch := exec.Command("go", "build", "-o", os.DevNull, "./examples/hello")
	fetch.Dir = top
	out, err := fetch.CombinedOutput()
	require.NoError(t, err, "%s", out)
	transcript.Check(t, "../../README.md")
}

func goEnv(t *testing.T, name string) string {
	out, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// publish puts this module into a directory that serves as a proxy, https://go.dev/ref/mod#goproxy-protocol.
func publish(t *testing.T, dir, version string) {
	v := module.Version{Path: "github.com/airlock-ns/airlock", Version: version}
	dir = filepath.Join(dir, v.Path, "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	require.NoError(t, err)
	require.NoError(t, zip.CreateFromDir(archive, v, top))
	require.NoError(t, archive.Close())
	mod, err := os.ReadFile(top + "/go.mod")
	require.NoError(t, err)
	for name, text := range map[string]string{
		"list": version + "\n", version + ".info": `{"Version":"` + version + `"}`, version + ".mod": string(mod),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
}
