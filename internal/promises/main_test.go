// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

// roleVariable makes a copy of the test binary something else than a test: the first word of its value says what, see roles.
const roleVariable = "AIRLOCK_PROMISES_ROLE"

// roles are what such a copy can be, by name: each gets the rest of the variable and returns an exit status.
var roles = map[string]func(argument string) int{}

func TestMain(m *testing.M) {
	reexec.Init()
	if name, argument := role(); name != "" {
		os.Exit(roles[name](argument))
	}
	fixture.Main(m)
}
