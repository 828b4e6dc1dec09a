// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestCapabilityNames(t *testing.T) {
	var c capabilities
	require.NoError(t, c.set("net_raw,CAP_CHOWN", true))
	require.NoError(t, c.set("cap_sys_admin", true))
	require.Equal(t, capabilities(1<<unix.CAP_NET_RAW|1<<unix.CAP_CHOWN|1<<unix.CAP_SYS_ADMIN), c)
	require.Equal(t, "cap_chown, cap_net_raw, cap_sys_admin", c.String())
	require.NoError(t, c.set("ALL", true))
	require.Equal(t, allCapabilities, c)
	require.ErrorContains(t, c.set("", true), `no such capability: ""`)
	require.ErrorContains(t, c.set("chown,", true), `no such capability: ""`)
}

// What the kernel makes of the sets at execve(2) is what was asked for, for root and for others.
func TestSetsThatSurvive(t *testing.T) {
	const a, b, c = 1, 2, 4
	root := survive(cnsenter.Caps{Effective: a, Permitted: a | b, Inheritable: b | c, Ambient: b, Bounding: a | b | c}, 0)
	require.Equal(t, cnsenter.Caps{Effective: a, Permitted: a | b, Inheritable: b, Ambient: b, Bounding: a | b}, root)
	require.Equal(t, uint64(a|b), root.Inheritable|root.Bounding, "P'(permitted) = P(inheritable) | P(bounding)")
	other := survive(cnsenter.Caps{Effective: a, Permitted: a | b, Bounding: a | b | c}, 7)
	require.Equal(t, uint64(a|b), other.Ambient, "P'(permitted) = P'(ambient)")
	require.Equal(t, other.Ambient, other.Ambient&other.Inheritable&other.Permitted)
	require.Equal(t, uint64(a|b|c), other.Bounding)
}

func TestHeldCapabilities(t *testing.T) {
	held, err := heldIn(ns.User | ns.Mount)
	require.NoError(t, err)
	require.Equal(t, known(), held.Permitted)
	held, err = heldIn(ns.Mount)
	require.NoError(t, err)
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	require.Equal(t, capsOf(string(status)), held)
	require.Equal(t, held.Bounding, held.Bounding&known())
}
