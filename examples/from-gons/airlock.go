// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"context"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// The function gets its parameter and returns its result as any function does. Its error arrives as an error.
var lookInside = reexec.Register("look", func(_ context.Context, path string) (sight, error) { return look(path) })

// types are the namespaces that gons can enter, too. Otherwise this would be ns.All, which is all eight.
const types = ns.User | ns.Mount | ns.Net | ns.UTS | ns.IPC

// lookByAirlock calls look in the namespaces of a process.
func lookByAirlock(ctx context.Context, pid int, path string) (sight, error) {
	inside, err := launcher.PID(pid, types)
	if err != nil {
		return sight{}, err
	}
	defer inside.Close()
	return lookInside.Call(ctx, reexec.In(inside), path)
}

// lookWarm does that in a copy which waits inside for the next call.
func lookWarm(ctx context.Context, pool *reexec.Pool, pid int, path string) (sight, error) {
	inside, err := launcher.PID(pid, types)
	if err != nil {
		return sight{}, err
	}
	defer inside.Close()
	return lookInside.Call(ctx, pool.On(pid, inside), path)
}
