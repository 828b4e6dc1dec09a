// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// What the picture shows is what the commands print.
func TestDocument(t *testing.T) {
	transcript.Check(t, "../../docs/at-the-shell.md", fixture.Cgo, fixture.UserNS)
}
