// SPDX-License-Identifier: Apache-2.0

//go:build linux

package engine

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/launcher/container"
)

func TestMatch(t *testing.T) {
	named := func(id, name, state string) candidate {
		return candidate{Info: container.Info{Engine: "cri", ID: id, Name: name}, state: state, aliases: []string{name}}
	}
	all := []candidate{
		named("abc1", "web", "running"), named("abc2", "db", "running"), named("ab", "abc1", "running"), named("f00", "beef", "running"),
		named("beef", "f00d", "exited"), named("01", "old", "exited"), named("02", "old", "running"), named("03", "dead", "exited"),
		named("04", "dead", "exited"),
	}
	for name, id := range map[string]string{
		"web": "abc1", "db": "abc2", "abc1": "abc1", "abc2": "abc2", "ab": "ab", "f": "f00", "f0": "f00", "bee": "beef", "beef": "beef",
		"f00": "f00", "f00d": "beef", "old": "02", "dead": "03",
	} {
		c, err := match(name, all)
		require.NoError(t, err, name)
		require.Equal(t, id, c.ID, name)
	}
	for _, name := range []string{"a", "abc", "0"} {
		_, err := match(name, all)
		var ambiguous *container.AmbiguousError
		require.ErrorAs(t, err, &ambiguous, name)
		require.GreaterOrEqual(t, len(ambiguous.Candidates), 2)
	}
	_, err := match("no", all)
	require.ErrorIs(t, err, container.ErrNotFound)
}

func TestSockets(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "containerd-rootless"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "containerd-rootless/child_pid"), []byte("4711\n"), 0o644))
	t.Setenv("XDG_RUNTIME_DIR", dir)
	for _, variable := range variables {
		t.Setenv(variable, "")
	}
	for engine, want := range map[string][]string{
		"docker":     {dir + "/docker.sock", "/run/docker.sock"},
		"podman":     {dir + "/podman/podman.sock", "/run/podman/podman.sock"},
		"containerd": {"/proc/4711/root/run/containerd/containerd.sock", "/run/containerd/containerd.sock"},
		"cri":        {"/run/containerd/containerd.sock", "/run/crio/crio.sock"},
	} {
		got, err := sockets(engine)
		require.NoError(t, err)
		require.Subset(t, got, want)
		require.Equal(t, want[0], got[0], "the user's own come first")
		for value, path := range map[string]string{"unix:///x/y.sock": "/x/y.sock", "/x/y.sock": "/x/y.sock"} {
			t.Setenv(variables[engine], value)
			got, err := sockets(engine)
			require.NoError(t, err)
			require.Equal(t, []string{path}, got)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", "relative")
	t.Setenv("DOCKER_HOST", "")
	got, err := sockets("docker")
	require.NoError(t, err)
	require.NotContains(t, got, "relative/docker.sock")
}

// patient is an engine that never answers.
type patient struct{ asker }

func (patient) close() error { return nil }

func TestEveryQuestionHasATimeout(t *testing.T) {
	listener, err := net.Listen("unix", "@airlock-test-"+filepath.Base(t.TempDir()))
	require.NoError(t, err)
	defer listener.Close()
	e := endpoint{"docker", listener.Addr().String(), func(string, string) (asker, error) { return patient{}, nil }}
	_, err = ask(t.Context(), e, func(ctx context.Context, _ asker) (int, error) {
		end, ok := ctx.Deadline()
		require.True(t, ok)
		require.LessOrEqual(t, time.Until(end), Timeout)
		return 0, nil
	})
	require.NoError(t, err)
}
