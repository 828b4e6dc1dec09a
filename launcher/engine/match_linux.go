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

// match returns the one that a name means: its id, else one of its aliases, else the start of its id.
func match(name string, all []candidate) (candidate, error) {
	for _, means := range []func(candidate) bool{
		func(c candidate) bool { return c.ID == name },
		func(c candidate) bool { return slices.Contains(c.aliases, name) },
		func(c candidate) bool { return strings.HasPrefix(c.ID, name) },
	} {
		hits := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !means(c) })
		// Kubernetes keeps the containers that one has taken the place of, under the same name.
		alive := slices.DeleteFunc(slices.Clone(hits), func(c candidate) bool { return c.state != "running" })
		switch {
		case len(hits) == 0:
		case len(hits) == 1:
			return hits[0], nil
		case len(alive) == 1 && alive[0].String() == hits[0].String():
			return alive[0], nil
		default:
			return candidate{}, ambiguous(name, hits)
		}
	}
	return candidate{}, container.ErrNotFound
}

func ambiguous(name string, hits []candidate) error {
	err := &container.AmbiguousError{Ref: name}
	for _, c := range hits {
		err.Candidates = append(err.Candidates, c.Info)
	}
	return err
}
