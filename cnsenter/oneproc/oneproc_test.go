// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package oneproc_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"testing"

	_ "github.com/airlock-ns/airlock/cnsenter/oneproc"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/stretchr/testify/require"
)

// sight is what a copy of the test binary sees that has no arguments.
type sight struct {
	Processors int
	Env        []string
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		fixture.Main(m)
	}
	json.NewEncoder(os.Stdout).Encode(sight{Processors: runtime.GOMAXPROCS(0), Env: os.Environ()})
}

func look(t *testing.T, env ...string) (s sight) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"look"}
	cmd.Env = append([]string{}, env...)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &s))
	return s
}

func TestOneProcessorAndTheSameEnvironment(t *testing.T) {
	for _, env := range [][]string{
		{"A=1"}, {"A=1", "B=2", "C=x=y"}, {"A=", "LAST="}, {"=odd=name", "PATH=/bin"}, {"A=1", "B=2", "PWD=/somewhere"},
	} {
		s := look(t, env...)
		require.Equal(t, 1, s.Processors, env)
		require.Equal(t, env, s.Env)
	}
}

// Of a name that is there twice Go keeps the first.
func TestTwoOfOneName(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{"look"}, &os.ProcAttr{
		Env: []string{"A=first", "B=2", "A=second"}, Files: []*os.File{nil, w, nil},
	})
	require.NoError(t, err)
	w.Close()
	var s sight
	require.NoError(t, json.NewDecoder(r).Decode(&s))
	_, err = p.Wait()
	require.NoError(t, err)
	require.Equal(t, []string{"A=first", "B=2"}, s.Env)
}

// A variable without a name, or a text that is none, cannot be set again: then all is as without the package.
func TestOddVariables(t *testing.T) {
	require.Equal(t, []string{"A=1", "=odd=name"}, look(t, "A=1", "=odd=name").Env)
}

func TestWhatIsSetHolds(t *testing.T) {
	s := look(t, "GOMAXPROCS=2", "A=1")
	require.Equal(t, 2, s.Processors)
	require.Equal(t, []string{"GOMAXPROCS=2", "A=1"}, s.Env)
}

func TestNoEnvironment(t *testing.T) {
	require.Empty(t, look(t).Env)
}
