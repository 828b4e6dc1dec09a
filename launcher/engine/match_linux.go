// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"

	"github.com/airlock-ns/airlock/launcher/container"
)

// candidate is a container that an engine knows, whether it runs or not.
type candidate struct {
	container.Info
	state   string   // "running", or another word of the engine's
	aliases []string // all that may stand for it in a reference, except its id
}

// running returns an error unless the container's first process is there and goes on.
func (c candidate) running() error {
	if c.state != "running" || c.PID <= 0 {
		return &NotRunningError{Container: c.Info, State: c.state}
	}
	return nil
}

// present reports whether the container has a process, also one that is kept from going on.
func (c candidate) present() bool {
	return c.PID > 0 && (c.state == "running" || c.state == "paused" || c.state == "pausing")
}

// match returns the one that a name means: its id, else one of its aliases, else the start of its id.
func match(name string, all []candidate) (candidate, error) {
	for _, means := range []func(candidate) bool{
		func(c candidate) bool { return c.ID == name },
		func(c candidate) bool { return slices.Contains(c.aliases, name) },
		func(c candidate) bool { return strings.HasPrefix(c.ID, name) },
	} {
		hits := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !means(c) })
		switch {
		case len(hits) == 1:
			return hits[0], nil
		case len(hits) > 1:
			return latest(name, hits)
		}
	}
	return candidate{}, container.ErrNotFound
}

// latest returns the one of several that has taken the place of the others: Kubernetes keeps those that have ended, under the same
// name. Otherwise they are different ones.
func latest(name string, hits []candidate) (candidate, error) {
	last := hits[0]
	for _, c := range hits[1:] {
		if c.String() != last.String() || c.state == "running" && last.state == "running" {
			return candidate{}, ambiguous(name, hits)
		}
		if c.state == "running" {
			last = c
		}
	}
	return last, nil
}

func ambiguous(name string, hits []candidate) error {
	err := &container.AmbiguousError{Ref: name}
	for _, c := range hits {
		err.Candidates = append(err.Candidates, c.Info)
	}
	return err
}
