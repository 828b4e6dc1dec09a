// SPDX-License-Identifier: Apache-2.0

//go:build linux

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher/engine"
	"github.com/airlock-ns/airlock/reexec"
)

// forbiddenVariable makes a copy of the test binary report whether it is for want of permission that it finds no container.
const forbiddenVariable = "AIRLOCK_TEST_FORBIDDEN"

func TestMain(m *testing.M) {
	if os.Getenv(forbiddenVariable) != "" {
		_, err := engine.Find(context.Background(), "docker://no-such")
		fmt.Println(errors.Is(err, fs.ErrPermission), err)
		os.Exit(0)
	}
	reexec.Init()
	fixture.Main(m)
}

var hostname = reexec.Register("hostname", func(context.Context, struct{}) (string, error) { return os.Hostname() })

// sockets says where the engines are, by their variables: empty is where they are without one, and all others are nowhere.
func sockets(t *testing.T, of map[string]string) {
	t.Helper()
	nowhere := "unix://" + filepath.Join(t.TempDir(), "no.sock")
	for _, variable := range []string{"DOCKER_HOST", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT"} {
		value, ok := of[variable]
		if !ok {
			value = nowhere
		}
		t.Setenv(variable, value)
		if value == "" {
			require.NoError(t, os.Unsetenv(variable))
		}
	}
}

// What always comes, unless something is broken, is waited for so long, and looked for so often.
const (
	patience = 30 * time.Second
	poll     = 10 * time.Millisecond
)

// shortDir returns a directory whose path is short enough for the address of a socket, which t.TempDir may not be.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "airlock-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}
