// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"github.com/moby/sys/capability"
)

// capabilities is a set, a bit for each.
type capabilities uint64

const allCapabilities = ^capabilities(0)

// set adds a list of names: as in capabilities(7), or without the "CAP_", in either case, or "all".
func (c *capabilities) set(v string, _ bool) error {
	for name := range strings.SplitSeq(strings.ToLower(v), ",") {
		name = strings.TrimPrefix(name, "cap_")
		if name == "all" {
			*c = allCapabilities
			continue
		}
		bit := capabilities(0)
		for _, known := range capability.ListKnown() {
			if known.String() == name {
				bit = 1 << known
			}
		}
		if bit == 0 {
			return fmt.Errorf("no such capability: %q", name)
		}
		*c |= bit
	}
	return nil
}

func (c capabilities) String() string {
	var names []string
	for _, known := range capability.ListKnown() {
		if c&(1<<known) != 0 {
			names = append(names, "cap_"+known.String())
		}
	}
	return strings.Join(names, ", ")
}

// capabilities adds the step to the sets that are asked for, and no_new_privs.
func (r *request) capabilities(plan cnsenter.Plan, target *process, entered ns.Type, who identity) (cnsenter.Plan, error) {
	follows := r.follow.has(followCapabilities)
	if follows || r.drop != 0 || r.add != 0 || r.keepCaps && entered.Has(ns.User) {
		sets, err := r.sets(target, entered, who.effective(), follows)
		if err != nil {
			return nil, err
		}
		plan = append(plan, cnsenter.SetCaps(sets))
	}
	if r.follow.has(followNoNewPrivs) {
		status, err := target.read("status")
		if err != nil {
			return nil, err
		}
		if statusField(status, "NoNewPrivs") == "1" {
			plan = append(plan, cnsenter.NoNewPrivs())
		}
	}
	return plan, nil
}

// sets computes what the program is to have.
func (r *request) sets(target *process, entered ns.Type, uid int, follows bool) (cnsenter.Caps, error) {
	held, err := heldIn(entered)
	if err != nil {
		return cnsenter.Caps{}, err
	}
	sets := held
	switch {
	case follows:
		status, err := target.read("status")
		if err != nil {
			return sets, err
		}
		sets = capsOf(status)
	case uid != 0 && !r.keepCaps: // all that the program would have
		kept := held.Ambient
		if os.Geteuid() == 0 { // cleared with the change of uid
			kept = 0
		}
		sets = cnsenter.Caps{Effective: kept, Permitted: kept, Bounding: held.Bounding}
	}
	drop, add := uint64(r.drop), uint64(r.add)
	if r.add == allCapabilities {
		add = held.Permitted
	}
	for _, set := range []*uint64{&sets.Effective, &sets.Permitted, &sets.Inheritable, &sets.Ambient, &sets.Bounding} {
		*set &^= drop
	}
	sets.Permitted |= add
	sets.Effective |= add
	sets.Bounding |= add
	if lack := capabilities(sets.Permitted &^ held.Permitted); lack != 0 {
		advice := "--cap-add cannot give it"
		if follows {
			advice = "--follow=-capabilities does without"
		}
		return sets, fmt.Errorf("we have no %v to give: %s", lack, advice)
	}
	return survive(sets, uid), nil
}

// survive changes the sets so that the permitted ones are what the program has after execve(2), capabilities(7): root gets there
// what its bounding set allows, and everybody else the ambient set.
func survive(sets cnsenter.Caps, uid int) cnsenter.Caps {
	if uid == 0 {
		sets.Bounding = sets.Permitted
		sets.Inheritable &= sets.Permitted
		sets.Ambient &= sets.Inheritable
		return sets
	}
	sets.Inheritable |= sets.Permitted
	sets.Ambient = sets.Permitted
	return sets
}

// heldIn returns the sets that we have once the namespaces are entered: all in a user namespace, user_namespaces(7).
func heldIn(entered ns.Type) (cnsenter.Caps, error) {
	if entered.Has(ns.User) {
		return cnsenter.Caps{Effective: known(), Permitted: known(), Bounding: known()}, nil
	}
	status, err := os.ReadFile("/proc/self/status")
	return capsOf(string(status)), err
}

// known is every capability that this kernel has.
func known() uint64 {
	last, err := capability.LastCap()
	if err != nil {
		last = capability.CAP_CHECKPOINT_RESTORE
	}
	return 1<<(last+1) - 1
}

// capsOf reads the sets in /proc/PID/status.
func capsOf(status string) cnsenter.Caps {
	set := func(name string) uint64 {
		n, _ := strconv.ParseUint(statusField(status, name), 16, 64)
		return n
	}
	return cnsenter.Caps{
		Effective: set("CapEff"), Permitted: set("CapPrm"), Inheritable: set("CapInh"), Ambient: set("CapAmb"), Bounding: set("CapBnd"),
	}
}
