// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/examples/internal/scan"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) {
	// Of the engines only Docker is asked: what the others have is not what the document shows.
	for _, variable := range []string{"CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT"} {
		t.Setenv(variable, "unix:///nowhere/engine.sock")
	}
	transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS)
}

func TestTargetThatIsNotThere(t *testing.T) {
	err := repeat(t.Context(), nil, "no-such", nil, 1, 1)
	require.ErrorContains(t, err, "neither a pid nor a path")
}

// An engine that fails in one round does not end those that follow.
func TestRounds(t *testing.T) {
	for _, variable := range []string{"CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT"} {
		t.Setenv(variable, "unix:///nowhere/engine.sock")
	}
	t.Setenv("DOCKER_HOST", "unix:///nowhere/engine.sock")
	scanner := &scan.Scanner{Parallel: 1, Timeout: time.Minute}
	require.NoError(t, repeat(t.Context(), scanner, "", nil, 3, 0), "no engine is no failure")

	dir, err := os.MkdirTemp("", "airlock-engine-") // t.TempDir is too long for the address of a socket
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	var asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	require.NoError(t, server.Listener.Close())
	server.Listener, err = net.Listen("unix", dir+"/engine.sock")
	require.NoError(t, err)
	server.Start()
	defer server.Close()
	t.Setenv("DOCKER_HOST", "unix://"+dir+"/engine.sock")
	require.ErrorContains(t, repeat(t.Context(), scanner, "", nil, 1, 0), "docker at "+dir)
	once := asked.Swap(0)
	require.Error(t, repeat(t.Context(), scanner, "", nil, 3, 0))
	require.Equal(t, 3*once, asked.Load())
}
