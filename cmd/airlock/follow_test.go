// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParts(t *testing.T) {
	require.Len(t, partNames, len(partNames))
	require.Equal(t, parts(1<<len(partNames)), followEnd, "a name for every part")
	for list, want := range map[string]parts{
		"all":                followAll,
		"env":                followEnv,
		"env,ids":            followEnv | followIDs,
		"-env":               followAll &^ followEnv,
		"all,-env,-wd":       followAll &^ followEnv &^ followWD,
		"-all,oom":           followOOM,
		"namespaces,cgroup":  followNamespaces | followCgroup,
		"all,-env,env":       followAll,
		"capabilities,-root": followCapabilities,
	} {
		var p parts
		require.NoError(t, p.set(list, true), list)
		require.Equal(t, want, p, list)
	}
	var p parts
	require.NoError(t, p.set("", false))
	require.Equal(t, followAll, p)
	for _, list := range []string{"", "x", "env,", "-", "--env", "Env"} {
		require.ErrorContains(t, p.set(list, true), "no such part", list)
	}
}

// Nothing that is asked for by an option of its own is taken from the target.
func TestFollowGivesWay(t *testing.T) {
	r := &request{follow: followAll, wdns: "/there", uid: id{given: true, number: 7}, clear: true, root: directory{true, "/new"}}
	r.followParts()
	require.False(t, r.wd.given)
	require.False(t, r.uid.follow)
	require.True(t, r.gid.follow)
	require.False(t, r.environment)
	require.Equal(t, "/new", r.root.path)
	require.True(t, r.all)
	require.True(t, r.cgroup)
}
