// SPDX-License-Identifier: Apache-2.0

//go:build linux

package scan

import (
	"testing"
	"time"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	fixture.Main(m)
}

// patience is how long a place may take that answers, on a machine that has much else to do.
const patience = 2 * time.Minute

func scanner(t *testing.T, timeout time.Duration) *Scanner {
	fixture.Need(t, fixture.Cgo)
	s := &Scanner{Parallel: 2, Timeout: timeout}
	t.Cleanup(func() { s.Pool.Close() })
	return s
}

// rows scans, and gives what was found by the ids of the places.
func rows(t *testing.T, s *Scanner, places []Place) map[string]Row {
	found := map[string]Row{}
	s.Scan(t.Context(), places, func(r Row) { found[r.ID] = r })
	return found
}

// at is the place that a Starter leads to.
func at(name string, s reexec.Starter) Place {
	return Place{container.Info{ID: name, Name: name}, s}
}
