// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

// ask has a copy of the test binary play a role, and gives what it answers.
func ask[T any](t *testing.T, name, argument string) (answer T) {
	t.Helper()
	out, err := inRole(name, argument).Output()
	require.NoError(t, err, "%s", out)
	require.NoError(t, json.Unmarshal(out, &answer), "%s", out)
	return answer
}

// answer is how a role ends that was asked for something.
func answer(v any, err error) int {
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(v)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// innerPID makes an inner target for a role, which gets its pid as the argument: "0" where none can be entered. The target is not the
// role's child.
func innerPID(t *testing.T) string {
	t.Helper()
	if fixture.Cgo.Unmet() != nil {
		return "0"
	}
	return strconv.Itoa(fixture.New(t, inner).PID)
}

// placesAround are the places of a role that has the argument of innerPID.
func placesAround(argument string) (map[string]place, error) {
	pid, err := strconv.Atoi(argument)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		return placesOf(nil), nil
	}
	target, err := launcher.PID(pid, ns.All) // never closed: the role ends
	if err != nil {
		return nil, err
	}
	return placesOf(target), nil
}
