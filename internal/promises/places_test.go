// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// place is one of the ways to a worker.
type place struct {
	starter reexec.Starter // nil: a plain copy of the program
	warm    bool           // the worker has served a call before
}

var whoami = reexec.Register("whoami", func(context.Context, struct{}) (int, error) { return os.Getpid(), nil })

// on gives the Runner of the place, whose workers are as process says, and what ends them.
func (p place) on(process reexec.Process) (on reexec.Runner, end func(), err error) {
	if !p.warm {
		process.Starter = p.starter
		return &process, func() {}, nil
	}
	pool := &reexec.Pool{Process: process}
	on = pool.On("warm", p.starter)
	_, err = whoami.Call(context.Background(), on, struct{}{})
	return on, func() { pool.Close() }, err
}

// mustOn is on for a test, which ends the workers.
func (p place) mustOn(t *testing.T, process reexec.Process) reexec.Runner {
	t.Helper()
	on, end, err := p.on(process)
	t.Cleanup(end)
	require.NoError(t, err)
	return on
}

// relayed enters a target as who may not enter its pid namespace himself does: by way of a relay, cnsenter.Fork.
type relayed struct{ target *launcher.Target }

func (r relayed) Start(cmd *exec.Cmd) error {
	plan, err := r.target.Plan()
	if err != nil {
		return err
	}
	return plan.Start(cmd)
}

// ways are the ways into a target, by name; plain does not lead there.
var ways = map[string]func(*launcher.Target) reexec.Starter{
	"plain":   func(*launcher.Target) reexec.Starter { return nil },
	"entered": func(target *launcher.Target) reexec.Starter { return target },
	"relayed": func(target *launcher.Target) reexec.Starter { return relayed{target} },
}

// placesOf are the places that a target offers, by name; without one there are only the plain ones.
func placesOf(target *launcher.Target) map[string]place {
	places := map[string]place{}
	for name, way := range ways {
		if target != nil || name == "plain" {
			places[name+", cold"] = place{starter: way(target)}
			places[name+", warm"] = place{starter: way(target), warm: true}
		}
	}
	return places
}

// inner is a target with the caller's files and all else its own.
var inner = fixture.Spec{User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true}

// target makes a target and opens it.
func target(t *testing.T, spec fixture.Spec) (*fixture.Target, *launcher.Target) {
	t.Helper()
	fixture.Need(t, fixture.Cgo)
	made := fixture.New(t, spec)
	opened, err := launcher.PID(made.PID, ns.All)
	require.NoError(t, err)
	t.Cleanup(func() { opened.Close() })
	return made, opened
}

// everywhere runs f as a subtest at every place.
func everywhere(t *testing.T, f func(t *testing.T, at place)) {
	t.Helper()
	for way := range ways {
		for _, warm := range []bool{false, true} {
			there(t, way, warm, f)
		}
	}
}

// atBothEnds is everywhere for what moves much data: at the place that has least between the two processes, and at that which has most.
func atBothEnds(t *testing.T, f func(t *testing.T, at place)) {
	t.Helper()
	there(t, "plain", false, f)
	there(t, "relayed", true, f)
}

func there(t *testing.T, way string, warm bool, f func(t *testing.T, at place)) {
	t.Helper()
	t.Run(way+map[bool]string{false: ", cold", true: ", warm"}[warm], func(t *testing.T) {
		var opened *launcher.Target
		if way != "plain" {
			_, opened = target(t, inner)
		}
		f(t, place{ways[way](opened), warm})
	})
}
