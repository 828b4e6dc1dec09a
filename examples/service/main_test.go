// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

func TestContainers(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, start := range map[string]func(testing.TB, fixture.ContainerSpec) *fixture.Container{
		"runc": fixture.RuncContainer, "docker": fixture.DockerContainer, "podman": fixture.PodmanContainer,
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, fixture.ContainerSpec{Hostname: "web"})
			var out bytes.Buffer
			require.NoError(t, serve(context.Background(), &out, strconv.Itoa(c.PID)))
			require.Equal(t, 5, strings.Count(out.String(), " at web\n"), out.String())
			require.Contains(t, out.String(), "Started:4 Idle:1 Workers:1}")
		})
	}
}

// The function is an ordinary one, and can be tried without a process, a target or privileges.
func TestWork(t *testing.T) {
	before := calls
	a, err := work.Call(context.Background(), reexec.InProcess(), "health")
	require.NoError(t, err)
	require.Equal(t, before+1, a.Calls)
	_, err = work.Call(context.Background(), reexec.InProcess(), "panic")
	require.ErrorIs(t, err, reexec.ErrPanic)
}

func TestNoTarget(t *testing.T) {
	require.ErrorContains(t, serve(context.Background(), &bytes.Buffer{}, "web"), `parse "web"`)
}
