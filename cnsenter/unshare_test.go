// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestUnshareEveryType(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	s := run(t, cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.All}), cnsenter.Fork()})
	require.Equal(t, 1, s.PID)
	require.Zero(t, s.UID)
	require.Zero(t, s.GID)
	require.Equal(t, fmt.Sprint("0 ", os.Geteuid(), " 1"), s.UIDMap)
	ours := look()
	for name, id := range s.Namespaces {
		require.NotEqual(t, ours.Namespaces[name], id)
	}
}

func TestUnshareTime(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	for _, offset := range []time.Duration{1000*time.Hour + time.Nanosecond, -time.Second - 1} {
		spec := ns.Spec{Types: ns.User | ns.Time, Monotonic: offset}
		before := monotonic()
		s := run(t, cnsenter.Plan{cnsenter.Unshare(spec), cnsenter.Fork()})
		require.GreaterOrEqual(t, s.Monotonic, before+offset)
		require.LessOrEqual(t, s.Monotonic, monotonic()+offset)
	}
}

func monotonic() time.Duration {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return time.Duration(now.Nano())
}

func TestUnshareMapsManyIDs(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.UserNS)
	maps := []ns.IDMap{{Inside: 0, Outside: 100000, Size: 1000}, {Inside: 1000, Outside: 0, Size: 1}}
	s := run(t, cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.User, UIDMap: maps, GIDMap: maps}), cnsenter.SetUID(7)})
	require.Equal(t, "0 100000 1000 1000 0 1", s.UIDMap)
	require.Equal(t, 7, s.UID)
}

func TestUnshareMapsThatAreRefused(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	maps := []ns.IDMap{{Inside: 0, Outside: 0, Size: 10}, {Inside: 5, Outside: 20, Size: 10}} // overlap
	e := refused(t, cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.User, UIDMap: maps})})
	require.Equal(t, cnsenter.OpUnshare, e.Op)
	require.Equal(t, ns.User, e.Types)
}

func TestUnshareThatCannotBeMapped(t *testing.T) {
	target := every(t)
	unshare := cnsenter.Unshare(ns.Spec{Types: ns.User})
	for name, plan := range map[string]cnsenter.Plan{
		"after the fork": {cnsenter.Fork(), unshare},
		"in one joined":  append(open(t, target, ns.User), unshare),
	} {
		t.Run(name, func(t *testing.T) {
			e := refused(t, plan)
			require.Equal(t, 1, e.Step)
			require.ErrorContains(t, e, "a user namespace is made")
		})
	}
}
