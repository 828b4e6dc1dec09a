// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

var monotonic = reexec.Register("monotonic", func(context.Context, struct{}) (time.Duration, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return time.Duration(now.Nano()), err
})

func TestPromise26ClockIsTheTargets(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	const ahead = 1000 * time.Hour
	target := enter(t, fixture.New(t, fixture.Spec{User: true, Time: true, PID: true, Monotonic: ahead}))
	before, err := monotonic.Call(t.Context(), nil, struct{}{})
	require.NoError(t, err)
	inside, err := monotonic.Call(t.Context(), reexec.In(target), struct{}{})
	require.NoError(t, err)
	after, err := monotonic.Call(t.Context(), nil, struct{}{})
	require.NoError(t, err)
	require.LessOrEqual(t, before+ahead, inside)
	require.GreaterOrEqual(t, after+ahead, inside)
}

func TestPromise26PidIsTheTargets(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	made := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true})
	target := enter(t, made)
	relayed, err := target.Plan()
	require.NoError(t, err)
	for name, starter := range map[string]reexec.Starter{"direct": target, "relay": relayed} {
		t.Run(name, func(t *testing.T) {
			e, err := takeStock.Call(t.Context(), reexec.In(starter), struct{}{})
			require.NoError(t, err)
			require.Less(t, e.ID, 1000)
			require.Contains(t, e.Status["NSpid"], e.Status["Pid"])
		})
	}
}

func TestPromise26DeadPIDNamespaceHasAName(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	made, err := fixture.Start(fixture.Spec{User: true, PID: true})
	require.NoError(t, err)
	var handles []*ns.Handle
	for _, typ := range []ns.Type{ns.User, ns.PID} {
		h, err := ns.OpenPID(made.PID, typ)
		require.NoError(t, err)
		defer h.Close()
		handles = append(handles, h)
	}
	require.NoError(t, made.Close())
	_, err = hostname.Call(t.Context(), reexec.In(launcher.Handles(handles...)), struct{}{})
	require.ErrorIs(t, err, cnsenter.ErrDeadPIDNamespace)
	require.ErrorIs(t, launcher.Command(launcher.Handles(handles...), "true").Run(), cnsenter.ErrDeadPIDNamespace)
}
