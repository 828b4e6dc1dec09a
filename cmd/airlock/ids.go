// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
)

// identity is who the program is to be. A negative id stays as it is.
type identity struct {
	uid, gid int
	groups   []int
	member   bool // of these groups and no others; otherwise a gid comes with no groups
	account  *account
}

// identity finds out the uid, gid and groups that are asked for.
//
// In a user namespace both ids are 0 unless they are given, and there are no other groups. Outside of one, whoever gives a uid
// only does not mean to keep root's group and the caller's others: the gid becomes the same number. --preserve-credentials keeps whatever is
// not given.
func (r *request) identity(target *process, entered ns.Type, files func() (tree, error)) (identity, error) {
	who := identity{uid: -1, gid: -1}
	if r.account != "" {
		t, err := files()
		if err != nil {
			return who, fmt.Errorf("--as %s: %w", r.account, err)
		}
		if who.account, err = lookUp(t, r.account); err != nil {
			return who, err
		}
		who.uid, who.gid, who.groups, who.member = who.account.uid, who.account.gid, who.account.groups, true
		return who, nil
	}
	uid, gid := r.uid, r.gid
	switch {
	case r.preserve:
	case entered.Has(ns.User):
		uid.given, gid.given = true, true
	case uid.given && !gid.given && os.Geteuid() == 0:
		gid = uid
	}
	if uid.follow || gid.follow {
		u, g, err := r.owner(target, entered)
		if err != nil {
			return who, err
		}
		if uid.follow {
			uid.number = u
		}
		if gid.follow {
			gid.number = g
		}
	}
	if uid.given {
		who.uid = uid.number
	}
	if gid.given {
		who.gid = gid.number
	}
	if r.follow.has(followIDs) && gid.follow {
		return r.followGroups(who, target, entered)
	}
	return who, nil
}

// followGroups adds the supplementary groups of the target, as they are counted inside. Where it may have none but what it was born with,
// setgroups in user_namespaces(7), nobody else may either.
func (r *request) followGroups(who identity, target *process, entered ns.Type) (identity, error) {
	status, err := target.read("status")
	if err != nil {
		return who, err
	}
	theirs := numbers(statusField(status, "Groups"))
	if !entered.Has(ns.User) {
		ours, err := os.Getgroups()
		slices.Sort(ours)
		slices.Sort(theirs)
		if err == nil && slices.Equal(ours, theirs) && who.gid == os.Getegid() {
			who.gid = -1 // an ordinary user may not even set what he has
			return who, nil
		}
		who.groups, who.member = theirs, true
		return who, err
	}
	if setgroups, err := target.read("setgroups"); err != nil || strings.TrimSpace(setgroups) == "deny" {
		return who, err
	}
	who.member = true
	for _, g := range theirs {
		switch inside, err := target.inside("gid_map", g); {
		case err == nil:
			who.groups = append(who.groups, inside)
		case !errors.Is(err, errUnmapped): // the target has kept it from outside, and nobody inside can be given it
			return who, err
		}
	}
	return who, nil
}

// steps adds the change to the plan.
func (i identity) steps(plan cnsenter.Plan) cnsenter.Plan {
	switch {
	case i.member && len(i.groups) > 0:
		plan = append(plan, cnsenter.SetGroups(i.groups...))
	case i.member, i.gid >= 0:
		plan = append(plan, cnsenter.DropGroups())
	}
	if i.gid >= 0 {
		plan = append(plan, cnsenter.SetGID(i.gid))
	}
	if i.uid >= 0 {
		plan = append(plan, cnsenter.SetUID(i.uid))
	}
	return plan
}

// effective is the uid that the program will have.
func (i identity) effective() int {
	if i.uid >= 0 {
		return i.uid
	}
	return os.Geteuid()
}

// owner returns the ids of the target as the program will count them.
func (r *request) owner(target *process, entered ns.Type) (uid, gid int, err error) {
	if !entered.Has(ns.User) {
		return target.ids()
	}
	if r.files[ns.User] != "" || r.parent {
		return 0, 0, errors.New("follow: the ids of the target are known in its own user namespace, and not in another")
	}
	return target.idsInside()
}
