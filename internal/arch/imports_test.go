// SPDX-License-Identifier: Apache-2.0

//go:build linux

package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

const (
	root   = "../.."
	module = "github.com/airlock-ns/airlock"
	sys    = "golang.org/x/sys"
)

// arrows holds for each package of the module what of the module it may depend on; its tests and its
// subdirectories' packages not included. None of them depends on anything else but std and x/sys.
var arrows = map[string][]string{
	"ns":       {},
	"cnsenter": {"ns"},
	"reexec":   {},
	"launcher": {"cnsenter", "ns"},

	"launcher/container": {},
}

type listed struct {
	ImportPath string
	Standard   bool
	Module     *struct{ Path string }
	Deps       []string
	CgoFiles   []string
}

// list runs go list, once as built with cgo and once without.
func list(t *testing.T, args ...string) (packages []listed) {
	t.Helper()
	fixture.Need(t, fixture.Program("go"))
	for _, cgo := range []string{"0", "1"} {
		cmd := exec.Command("go", append([]string{"list", "-e", "-json"}, args...)...)
		cmd.Dir = root
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED="+cgo)
		out, err := cmd.Output()
		require.NoError(t, err)
		for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p listed
			err := dec.Decode(&p)
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			packages = append(packages, p)
		}
	}
	return packages
}

func TestArrows(t *testing.T) {
	for name, may := range arrows {
		for _, p := range list(t, "-deps", "./"+name) {
			switch {
			case p.Standard:
			case p.Module != nil && p.Module.Path == sys:
			case p.Module != nil && p.Module.Path == module:
				dep := strings.TrimPrefix(p.ImportPath, module+"/")
				require.True(t, slices.ContainsFunc(append(slices.Clone(may), name+"/internal"), within(dep)) || dep == name, "%s depends on %s", name, dep)
			default:
				require.Fail(t, "foreign dependency", "%s depends on %s", name, p.ImportPath)
			}
		}
	}
}

// within tells whether a package is one of a directory's.
func within(dep string) func(dir string) bool {
	return func(dir string) bool { return dep == dir || strings.HasPrefix(dep, dir+"/") }
}

// byChoice are those who link the engines' clients: cmd/airlock-engine, and the tutorials that look for the host's containers.
var byChoice = []string{"launcher/engine", "cmd/airlock-engine", "examples/internal/scan", "examples/scanner", "examples/kubernetes"}

func TestEnginesAreLinkedByChoice(t *testing.T) {
	const engine = module + "/launcher/engine"
	for _, p := range list(t, "./...") {
		if !slices.Contains(byChoice, strings.TrimPrefix(p.ImportPath, module+"/")) {
			require.NotContains(t, p.Deps, engine, p.ImportPath)
		} else if p.ImportPath != engine && p.Deps != nil {
			require.Contains(t, p.Deps, engine, p.ImportPath)
		}
	}
	for _, p := range list(t, "-deps", "./launcher/engine") {
		if p.Module != nil && p.Module.Path == module && p.ImportPath != engine {
			dep := strings.TrimPrefix(p.ImportPath, module+"/")
			require.True(t, slices.ContainsFunc([]string{"cnsenter", "launcher", "ns"}, within(dep)), "launcher/engine depends on %s", dep)
		}
	}
}

// Every start pays for the initialisation of what is linked: airlock links no client, neither of an engine nor of HTTP.
func TestAirlockStartsQuickly(t *testing.T) {
	heavy := []string{"net/http", "github.com/moby/moby", "github.com/containerd/containerd", "google.golang.org", "k8s.io"}
	for _, p := range list(t, "./cmd/airlock") {
		for _, dep := range p.Deps {
			require.False(t, slices.ContainsFunc(heavy, within(dep)), "airlock depends on %s", dep)
		}
	}
}

func TestNobodyDependsOnFixtures(t *testing.T) {
	for _, p := range list(t, "./...") {
		if !strings.HasPrefix(p.ImportPath, module+"/internal/") {
			require.NotContains(t, p.Deps, module+"/internal/fixture", p.ImportPath)
		}
	}
}

func TestCgoOnlyInCnsenter(t *testing.T) {
	for _, p := range list(t, "./...") {
		if len(p.CgoFiles) > 0 && !strings.HasPrefix(p.ImportPath, module+"/internal/") {
			require.True(t, p.ImportPath == module+"/cnsenter" || strings.HasPrefix(p.ImportPath, module+"/cnsenter/"),
				"%s uses cgo", p.ImportPath)
		}
	}
}
