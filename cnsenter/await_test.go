// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"errors"
	"os"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// The caller sees the process between two steps, also behind a relay, and by its pid outside.
func TestAwait(t *testing.T) {
	var before, after ns.ID
	var first, second int
	seen := func(id *ns.ID, pid *int) func(int) error {
		return func(p int) error {
			*pid = p
			h, err := ns.OpenPID(p, ns.UTS)
			if err == nil {
				*id = h.ID()
				h.Close()
			}
			return err
		}
	}
	s := run(t, cnsenter.Plan{
		cnsenter.Unshare(ns.Spec{Types: ns.User}), cnsenter.Await(seen(&before, &first)),
		cnsenter.Unshare(ns.Spec{Types: ns.UTS | ns.PID}), cnsenter.Fork(), cnsenter.Await(seen(&after, &second)),
	})
	ours, err := ns.Current(ns.UTS)
	require.NoError(t, err)
	defer ours.Close()
	require.Equal(t, ours.ID(), before)
	require.Equal(t, "uts:["+after.String()+"]", s.Namespaces["uts"])
	require.NotEqual(t, first, second)
	require.Equal(t, 1, s.PID)
	require.Zero(t, s.Dumpable)
}

// An error ends what was started.
func TestAwaitFails(t *testing.T) {
	cause := errors.New("not so")
	var pid int
	cmd, _ := command("exit 0")
	err := cnsenter.Plan{cnsenter.Fork(), cnsenter.Await(func(p int) error {
		pid = p
		return cause
	})}.Start(cmd)
	require.ErrorIs(t, err, cause)
	require.EqualError(t, err, "cnsenter: step 1: await the caller: not so")
	waitEnd(t, pid)
}

func TestAwaitNeedsAFunction(t *testing.T) {
	cmd, _ := command("exit 0")
	require.ErrorIs(t, cnsenter.Plan{cnsenter.Await(nil)}.Start(cmd), os.ErrInvalid)
}

// Nobody would answer a process that has replaced the caller.
func TestReplaceDoesNotAwait(t *testing.T) {
	err := cnsenter.Plan{cnsenter.Await(func(int) error { return nil }), cnsenter.Exec("true")}.Replace("x", []string{"true"}, nil, nil)
	var e *cnsenter.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, cnsenter.OpAwait, e.Op)
	require.Zero(t, e.Step)
}

// Nor is there a caller to die with.
func TestReplaceDiesWithNobody(t *testing.T) {
	err := cnsenter.Plan{cnsenter.DieWithCaller(), cnsenter.Exec("true")}.Replace("x", []string{"true"}, nil, func(cnsenter.Step) string { return "" })
	var e *cnsenter.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, cnsenter.OpDieWithCaller, e.Op)
}
