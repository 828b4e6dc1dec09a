// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Package target gives the tutorials something to enter: what the user names, or else a little container that it makes.
//
// A program of your own needs none of it: launcher.PID is enough for a process, and engine.Resolve for a container by name.
package target

import (
	"context"
	"errors"
	"strconv"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/ns"
)

// Usage is the help for the flag of the tutorials.
const Usage = "`pid` of a process, or id of a container, to enter; empty: make a little container"

// Open returns the namespaces t of what ref names: a process by its pid, or a container by its id or the first 12 digits of that, as
// docker ps shows them. If ref is empty it makes a little container, for which nobody needs to be root. The caller calls done.
func Open(ctx context.Context, ref string, t ns.Type) (_ *launcher.Target, done func(), err error) {
	if ref == "" {
		return openLittle(t)
	}
	var found *launcher.Target
	if container.IsID(ref) {
		found, err = openContainer(ctx, ref, t)
	} else {
		found, err = launcher.Parse(ctx, ref, t)
	}
	if err != nil {
		return nil, nil, err
	}
	return found, func() { found.Close() }, nil
}

// PID returns the pid of what ref names, for libraries that want no more than a number. What is there under that number by the time it
// is used, nobody can say. The caller calls done.
func PID(ctx context.Context, ref string) (pid int, done func(), err error) {
	switch {
	case ref == "":
		little, err := start()
		if err != nil {
			return 0, nil, err
		}
		return little.Process.Pid, func() { little.close() }, nil
	case container.IsID(ref):
		info, err := container.Find(ctx, ref)
		return info.PID, func() {}, err
	}
	pid, err = strconv.Atoi(ref)
	return pid, func() {}, err
}

// openContainer holds the container's process while its number is used.
func openContainer(ctx context.Context, id string, t ns.Type) (*launcher.Target, error) {
	info, err := container.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	process, err := container.Open(info.PID)
	if err != nil {
		return nil, err
	}
	defer process.Close()
	found, err := launcher.PID(info.PID, t)
	if err != nil {
		return nil, err
	}
	if err := process.Check(info.ID); err != nil {
		return nil, errors.Join(err, found.Close())
	}
	return found, nil
}

func openLittle(t ns.Type) (*launcher.Target, func(), error) {
	little, err := start()
	if err != nil {
		return nil, nil, err
	}
	found, err := launcher.PID(little.Process.Pid, t)
	if err != nil {
		return nil, nil, errors.Join(err, little.close())
	}
	return found, func() {
		found.Close()
		little.close()
	}, nil
}
