// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"os"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
)

// ids adds the steps to the uid, gid and groups that are asked for.
//
// In a user namespace both ids are 0 unless they are given, and there are no other groups. Outside of one, whoever gives a uid
// only does not mean to keep root's group and the caller's others: the gid becomes the same number. --preserve-credentials keeps whatever is
// not given.
func (r *request) ids(plan cnsenter.Plan, target *process, entered ns.Type) (cnsenter.Plan, error) {
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
			return nil, err
		}
		if uid.follow {
			uid.number = u
		}
		if gid.follow {
			gid.number = g
		}
	}
	if gid.given {
		plan = append(plan, cnsenter.DropGroups(), cnsenter.SetGID(gid.number))
	}
	if uid.given {
		plan = append(plan, cnsenter.SetUID(uid.number))
	}
	return plan, nil
}

// owner returns the ids of the target as the program will count them.
func (r *request) owner(target *process, entered ns.Type) (uid, gid int, err error) {
	if !entered.Has(ns.User) {
		return target.ids()
	}
	if r.files[ns.User] != "" {
		return 0, 0, errors.New("follow: the ids of the target are known in its own user namespace, not in one by its file")
	}
	return target.idsInside()
}
