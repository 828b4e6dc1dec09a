// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/require"

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
