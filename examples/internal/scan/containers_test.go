// SPDX-License-Identifier: Apache-2.0

//go:build linux

package scan

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// engines says where the engines are, by their variables; those without one are nowhere.
func engines(t *testing.T, of map[string]string) {
	for _, variable := range []string{"DOCKER_HOST", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT"} {
		if value := of[variable]; value != "" {
			t.Setenv(variable, value)
		} else {
			t.Setenv(variable, "unix://"+t.TempDir()+"/no.sock")
		}
	}
}

func run(t *testing.T, name string, arg ...string) string {
	t.Helper()
	out, err := exec.Command(name, arg...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, arg, out)
	return strings.TrimSpace(string(out))
}

func TestNoEngine(t *testing.T) {
	engines(t, nil)
	places, err := Containers(t.Context())
	require.NoError(t, err)
	require.Empty(t, places)
}

// containers scans those of the names, and gives what was found by these. Others are not the test's to look into.
func containers(t *testing.T, s *Scanner, names ...string) map[string]Row {
	t.Helper()
	places, err := Containers(t.Context(), names...)
	require.NoError(t, err)
	found := map[string]Row{}
	s.Scan(t.Context(), places, func(r Row) { found[r.Name] = r })
	return found
}

// TestContainers looks into containers of two engines, of which one is paused.
func TestContainers(t *testing.T) {
	release := map[string]string{"/etc/os-release": "PRETTY_NAME=\"Box 12\"\n"}
	web := fixture.DockerContainer(t, fixture.ContainerSpec{Hostname: "web", Files: release})
	paused := fixture.DockerContainer(t, fixture.ContainerSpec{})
	daemon := fixture.NewContainerd(t)
	box := daemon.Container(t, "default", "", fixture.ContainerSpec{Files: release})
	docker := os.Getenv("DOCKER_HOST")
	if docker == "" {
		docker = "unix:///run/docker.sock"
	}
	engines(t, map[string]string{"DOCKER_HOST": docker, "CONTAINERD_ADDRESS": daemon.Address})
	run(t, "docker", "exec", "--detach", web.ID, "nc", "-ll", "-p", "80", "-e", "/bin/true")
	run(t, "docker", "pause", paused.ID)
	t.Cleanup(func() { run(t, "docker", "unpause", paused.ID) })

	s := scanner(t, patience)
	var found map[string]Row
	require.Eventually(t, func() bool {
		found = containers(t, s, web.ID, paused.ID, box.ID)
		return len(found[web.ID].Listens) > 0
	}, patience, 10*time.Millisecond, "nobody listens")
	require.Empty(t, found[web.ID].Error)
	require.Equal(t, "docker", found[web.ID].Engine)
	require.Equal(t, Sight{Hostname: "web", OS: "Box 12", Processes: 2, Listens: []string{"tcp [::]:80"}}, found[web.ID].Sight)
	require.Empty(t, found[box.ID].Error)
	require.Equal(t, "containerd", found[box.ID].Engine)
	require.Equal(t, "Box 12", found[box.ID].OS)
	require.Contains(t, found[paused.ID].Error, "it is paused")

	// A container that has begun anew, with the id that it had, gets a worker of its own.
	before := found[web.ID].PID
	run(t, "docker", "restart", "--time", "0", web.ID)
	again := containers(t, s, web.ID)[web.ID]
	require.Empty(t, again.Error)
	require.NotEqual(t, before, again.PID)
	require.Equal(t, 1, again.Processes)
}

func TestPodman(t *testing.T) {
	c := fixture.PodmanContainer(t, fixture.ContainerSpec{Hostname: "podded", UserNS: true})
	engines(t, nil)
	require.NoError(t, os.Unsetenv("CONTAINER_HOST")) // podman(1) is asked
	row := containers(t, scanner(t, patience), c.ID)[c.ID]
	require.Empty(t, row.Error)
	require.Equal(t, "podman", row.Engine)
	require.Equal(t, "podded", row.Hostname)
}
