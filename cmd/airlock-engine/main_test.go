// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// nowhere leaves no engine to be asked.
func nowhere(t *testing.T) {
	t.Helper()
	for _, variable := range []string{"DOCKER_HOST", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT"} {
		t.Setenv(variable, "unix://"+filepath.Join(t.TempDir(), "no.sock"))
	}
}

func TestContainer(t *testing.T) {
	c := fixture.DockerContainer(t, fixture.ContainerSpec{})
	id, err := exec.Command("docker", "inspect", "--format", "{{.Id}}", c.ID).Output()
	require.NoError(t, err)
	line := fmt.Sprintf(`{"engine":"docker","namespace":"","id":"%s","name":"%s","pid":%d}`+"\n", id[:64], c.ID, c.PID)

	var stdout, stderr strings.Builder
	require.Zero(t, run([]string{"resolve", "docker://" + c.ID}, &stdout, &stderr), &stderr)
	require.Equal(t, line, stdout.String())
	require.Empty(t, stderr.String())

	stdout.Reset()
	require.Zero(t, run([]string{"list"}, &stdout, &stderr), &stderr)
	require.Contains(t, stdout.String(), line)
}

func TestStatus(t *testing.T) {
	nowhere(t)
	self := fmt.Sprint(os.Getpid())
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"resolve", "pid://" + self}, 0, `^{"engine":"pid","namespace":"","id":"` + self + `","name":"` + self + `","pid":` + self + "}\n$", "^$"},
		{[]string{"resolve", "docker://no-such"}, 1, "^$", "^airlock-engine: find docker://no-such: docker at .*/no.sock: connect: no such file or directory\n$"},
		{[]string{"list"}, 0, "^$", "^$"},
		{[]string{"--help"}, 0, "^Usage:\n", "^$"},
		{[]string{"--version"}, 0, `^airlock-engine \S+\n$`, "^$"},
		{nil, 1, "^$", "^Usage:\n"},
		{[]string{"resolve"}, 1, "^$", "^Usage:\n"},
		{[]string{"list", "all"}, 1, "^$", "^Usage:\n"},
		{[]string{"enter", "web"}, 1, "^$", "^Usage:\n"},
	} {
		var stdout, stderr strings.Builder
		require.Equal(t, c.status, run(c.args, &stdout, &stderr), "%q", c.args)
		require.Regexp(t, c.stdout, stdout.String())
		require.Regexp(t, c.stderr, stderr.String())
	}
}
