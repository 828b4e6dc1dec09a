// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package wirecheck_test

import (
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/cnsenter/internal/wirecheck"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// types are those that a value can name.
var types = map[string]ns.Type{
	"cgroup": ns.Cgroup, "ipc": ns.IPC, "mnt": ns.Mount, "net": ns.Net, "pid": ns.PID, "time": ns.Time, "user": ns.User, "uts": ns.UTS,
}

// parse is what package atstart says of a value.
func parse(value string) (wirecheck.Plan, wirecheck.Outcome) {
	plan := wirecheck.Plan{Name: "AIRLOCK_JOIN"}
	add := func(op cnsenter.Op) {
		plan.Steps = append(plan.Steps, wirecheck.Step{Op: uint32(op), File: wirecheck.None})
	}
	var joined ns.Type
	var last []wirecheck.Step
	for item := range strings.SplitSeq(value, ",") {
		name, path, isPair := strings.Cut(item, "=")
		typ := types[name]
		if !isPair || typ == 0 || joined.Has(typ) {
			return wirecheck.Plan{}, wirecheck.Malformed
		}
		if strings.HasPrefix(path, "/no/") {
			return wirecheck.Plan{}, wirecheck.MissingFile
		}
		joined |= typ
		join := wirecheck.Step{Op: uint32(cnsenter.OpJoin), File: uint32(plan.Files), Value: uint32(typ), Label: "join @ of " + path}
		plan.Files++
		if typ == ns.User {
			last = append(last, join)
		} else {
			plan.Steps = append(plan.Steps, join)
		}
	}
	plan.Steps = append(plan.Steps, last...)
	if joined.Has(ns.PID) {
		add(cnsenter.OpFork)
	}
	if joined.Has(ns.User) {
		add(cnsenter.OpDropGroups)
		add(cnsenter.OpSetGID)
		add(cnsenter.OpSetUID)
	}
	plan.Mounts, plan.Flips = joined.Has(ns.Mount), joined.Has(ns.Mount)
	return plan, wirecheck.Wellformed
}

// FuzzJoins compares the plan that the constructor makes of a value with the one that the documentation promises.
func FuzzJoins(f *testing.F) {
	f.Add("")
	f.Add("mnt=/proc/4711/ns/mnt,net=/run/netns/blue")
	f.Add("user=/u,pid=/p,mnt=/m,net=/n,uts=/t,ipc=/i,cgroup=/c,time=/e")
	f.Add("net=/a,net=/b")
	f.Add("net=/no/such,nonsense")
	f.Add("net=,uts==@")
	f.Add("net=" + strings.Repeat("/", wirecheck.MaxJoin-5))
	f.Fuzz(func(t *testing.T, value string) {
		value, _, _ = strings.Cut(value, "\x00") // as the kernel does
		if len(value) >= wirecheck.MaxJoin {
			return // the constructor refuses it unread
		}
		plan, outcome := wirecheck.Joins(value)
		wants, want := parse(value)
		require.Equal(t, want, outcome)
		require.Equal(t, wants, plan)
	})
}
