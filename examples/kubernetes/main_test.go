// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/examples/internal/scan"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/fixture/pod"
	"github.com/airlock-ns/airlock/internal/transcript"
	launched "github.com/airlock-ns/airlock/launcher/container"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo) }

// TestDaemonSet runs the program as a node would, beside a pod that it finds.
func TestDaemonSet(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Runc, fixture.Containerd)
	daemon := fixture.NewContainerd(t)
	id, pid := pod.New(t, daemon).Pod("shop", "web").Container("nginx", 0)
	spec := podSpec(t)
	scanner := newBundle(t, spec, map[string]string{"/run/containerd": filepath.Dir(daemon.Address)}).start(t)
	container := spec.Containers[0]
	probe, port := container.ReadinessProbe.HTTPGet.Path, container.Ports[0].ContainerPort
	require.Eventually(t, func() bool {
		status, _, err := scanner.get(probe, port)
		return err == nil && status == http.StatusOK
	}, patience, 10*time.Millisecond)

	status := scanner.status(t)
	require.Equal(t, fmt.Sprintf("%016x", capabilityMask()), status["CapEff"])
	require.Equal(t, status["CapEff"], status["CapBnd"])
	require.Equal(t, "2", status["Seccomp"], "SECCOMP_MODE_FILTER")

	want := scan.Row{Info: launched.Info{Engine: "cri", Namespace: "shop", ID: id, Name: "web/nginx", PID: pid}}
	for range 2 { // cold, and warm
		code, body, err := scanner.get("/containers", port)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, code, body)
		found := map[string]scan.Row{}
		for decoder := json.NewDecoder(strings.NewReader(body)); decoder.More(); {
			var row scan.Row
			require.NoError(t, decoder.Decode(&row))
			require.Empty(t, row.Error)
			found[row.ID] = row
		}
		require.Len(t, found, 2, "the container, and the one that holds the pod's namespaces: %s", body)
		require.Equal(t, want.Info, found[id].Info)
		require.Equal(t, 1, found[id].Processes)
	}
}

// ask is a request without a network.
func ask(t *testing.T, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	handler(&scan.Scanner{Parallel: 1, Timeout: patience}).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return answer
}

func TestNoEngine(t *testing.T) {
	engines(t, "/nowhere/engine.sock")
	answer := ask(t, "/containers")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Empty(t, answer.Body.String())
}

// An engine that does not answer as one is another thing than none.
func TestEngineFails(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	dir, err := os.MkdirTemp("", "airlock-engine-") // t.TempDir is too long for the address of a socket
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	server.Listener, err = net.Listen("unix", dir+"/engine.sock")
	require.NoError(t, err)
	server.Start()
	defer server.Close()
	engines(t, dir+"/engine.sock")
	answer := ask(t, "/containers")
	require.Equal(t, http.StatusBadGateway, answer.Code)
	require.Contains(t, answer.Body.String(), "engine: list containers: docker at "+dir)
}

// engines says where Docker is, and that there are no others.
func engines(t *testing.T, docker string) {
	t.Setenv("DOCKER_HOST", "unix://"+docker)
	for _, variable := range []string{"CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT"} {
		t.Setenv(variable, "unix:///nowhere/engine.sock")
	}
}

func TestServeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, serve(ctx, "127.0.0.1:0", time.Second))
	require.ErrorContains(t, serve(t.Context(), "no port", time.Second), "no port")
}
