// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
)

// testCase is a plan, and what comes of it: either what the program prints, or the error of a step.
type testCase struct {
	name  string
	plan  cnsenter.Plan
	says  string
	fails error
}

// cases have the constructor go every way that it knows but one: valgrind does not follow the clone(2) of the helper that changes the root
// directory for a process without the privilege.
func cases(o *opened) []testCase {
	const says = "main\n"
	ids := cnsenter.Plan{cnsenter.DropGroups(), cnsenter.SetGID(0), cnsenter.SetUID(0)}
	var each cnsenter.Plan
	for t := range ns.All.Each() {
		each = append(each, cnsenter.Join(o.each[t].File(), t))
	}
	user := cnsenter.Join(o.each[ns.User].File(), ns.User)
	uts := o.each[ns.UTS].File()
	caps := cnsenter.Caps{Effective: 1, Permitted: 1, Bounding: 1}
	all := []testCase{
		{"nothing", cnsenter.Plan{}, says, nil},
		{"session", cnsenter.Plan{cnsenter.Setsid(), cnsenter.NoNewPrivs(), cnsenter.DieWithCaller()}, says, nil},
		{"join by pidfd", append(cnsenter.Plan{cnsenter.Join(o.pidfd, ns.All), cnsenter.Fork()}, ids...), says, nil},
		{"join one by one", append(append(each, cnsenter.Chdir("/"), cnsenter.Fork()), ids...), says, nil},
		{"capabilities", cnsenter.Plan{user, cnsenter.Fork(), cnsenter.SetUID(0), cnsenter.SetCaps(caps)}, says, nil},
		{"unshare", cnsenter.Plan{
			cnsenter.Unshare(ns.Spec{Types: ns.All, Monotonic: 1, Boottime: -1}), cnsenter.Fork(), cnsenter.Chroot("/"),
		}, says, nil},
		{"execute", cnsenter.Plan{cnsenter.Exec("true")}, "", nil},
		{"execute behind a relay", cnsenter.Plan{user, cnsenter.Fork(), cnsenter.Exec("true")}, "", nil},
		{"no such program", cnsenter.Plan{cnsenter.Fork(), cnsenter.Exec("/no/such")}, "", unix.ENOENT},
		{"no such directory", cnsenter.Plan{cnsenter.Setsid(), cnsenter.Chdir("/no/such")}, "", unix.ENOENT},
		{"not the type", cnsenter.Plan{cnsenter.Join(uts, ns.Net)}, "", unix.EINVAL},
		{"not enough privilege", cnsenter.Plan{user, cnsenter.Join(o.ours.File(), ns.UTS)}, "", unix.EPERM},
	}
	if os.Geteuid() == 0 {
		plan := cnsenter.Plan{cnsenter.SetGroups(1, 2, 3), cnsenter.SetGID(4), cnsenter.SetUID(5)}
		all = append(all, testCase{"groups", plan, says, nil})
	}
	return all
}
