// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	scanner := newBundle(t, podSpec(t), map[string]string{"/run/containerd": filepath.Dir(daemon.Address)}).start(t)
	status := scanner.status(t)
	require.Equal(t, fmt.Sprintf("%016x", capabilityMask()), status["CapEff"])
	require.Equal(t, status["CapEff"], status["CapBnd"])
	require.Equal(t, "2", status["Seccomp"], "SECCOMP_MODE_FILTER")
	for range 2 { // cold, and warm
		found := scanner.containers(t, "")
		require.Len(t, found, 2, "the container, and the one that holds the pod's namespaces")
		for _, row := range found {
			require.Empty(t, row.Error)
		}
		require.Equal(t, launched.Info{Engine: "cri", Namespace: "shop", ID: id, Name: "web/nginx", PID: pid}, found["web/nginx"].Info)
		require.Equal(t, 1, found["web/nginx"].Processes)
	}
}

// A container with a user namespace takes more system calls to enter. Podman has them, and a node with its socket.
func TestUserNamespace(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Runc)
	c := fixture.PodmanContainer(t, fixture.ContainerSpec{UserNS: true, Hostname: "apart"})
	b := newBundle(t, podSpec(t), map[string]string{"/run/containerd": t.TempDir()})
	b.mount(filepath.Dir(fixture.PodmanService(t)), "/run/podman", "ro")
	row := b.start(t).containers(t, "?name="+c.ID)[c.ID]
	require.Empty(t, row.Error)
	require.Equal(t, "apart", row.Hostname)
}

// ask is a request without a network.
func ask(t *testing.T, path string) *httptest.ResponseRecorder {
	return askOf(t, handler(&scan.Scanner{Parallel: 1, Timeout: patience}), path)
}

func askOf(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, "GET", path, nil))
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
	dir := brokenEngine(t)
	answer := ask(t, "/containers")
	require.Equal(t, http.StatusBadGateway, answer.Code)
	require.Contains(t, answer.Body.String(), "engine: list containers: docker at "+dir)
}

// brokenEngine is one that answers nothing right, with its socket in the directory that is returned.
func brokenEngine(t *testing.T) string {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	require.NoError(t, server.Listener.Close())
	dir, err := os.MkdirTemp("", "airlock-engine-") // t.TempDir is too long for the address of a socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	server.Listener, err = net.Listen("unix", dir+"/engine.sock")
	require.NoError(t, err)
	server.Start()
	t.Cleanup(server.Close)
	engines(t, dir+"/engine.sock")
	return dir
}

// slow is a client that does not read its answer before the channel is closed.
type slow struct {
	*httptest.ResponseRecorder
	asked, read chan struct{}
}

func (s slow) Write(p []byte) (int, error) {
	close(s.asked)
	<-s.read
	return s.ResponseRecorder.Write(p)
}

func TestSlowClientHoldsUpNobody(t *testing.T) {
	brokenEngine(t)
	h := handler(&scan.Scanner{Parallel: 1, Timeout: patience})
	client, ended := slow{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}, make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeHTTP(client, httptest.NewRequestWithContext(t.Context(), "GET", "/containers", nil))
	}()
	<-client.asked
	require.Equal(t, http.StatusBadGateway, askOf(t, h, "/containers").Code)
	close(client.read)
	<-ended
	require.Equal(t, http.StatusBadGateway, client.Code)
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
