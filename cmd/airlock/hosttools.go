// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// hostTools is what --host-tools enters if no namespaces are named: all that tools look at, and not the files that they are read from.
const hostTools = ns.Net | ns.PID | ns.IPC | ns.UTS

// filesMount is where --host-tools shows the target's files, unless another directory is given.
const filesMount = "/mnt"

// ownMounts adds the steps into a mount namespace of the program's own, a copy of ours that nothing comes into or out of, if it is to see a
// /proc or files there that we do not.
func (r *request) ownMounts(plan cnsenter.Plan, target *process, entered ns.Type) (cnsenter.Plan, error) {
	if !r.hostTools.given && !r.freshProc(entered) {
		return plan, nil
	}
	plan = append(plan, cnsenter.Unshare(ns.Spec{Types: ns.Mount}), cnsenter.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	if !r.hostTools.given || !cnsenter.Linked { // to attach takes the constructor
		return plan, nil
	}
	mounts, err := target.namespace(ns.Mount)
	if err != nil {
		return nil, err
	}
	if ours, err := isOurs(mounts); err != nil || ours {
		return plan, err
	}
	at := r.hostTools.path
	if at == "" {
		at = filesMount
	}
	return append(plan, cnsenter.Attach(mounts.File(), at)), nil
}

// freshProc reports whether the program gets a /proc that shows its PID namespace: the one that is there shows ours, unless the mount namespace
// or the root directory is the target's. As nsenter, it is left as it is.
func (r *request) freshProc(entered ns.Type) bool {
	if r.dropIn() || !cnsenter.Linked || r.keepProc || r.noFork || !entered.Has(ns.PID) || r.root.given {
		return false
	}
	mounts := r.all || r.types.Has(ns.Mount) || r.files[ns.Mount] != ""
	return r.hostTools.given || !mounts
}

// mountProc is the step to it, for a process that is in the PID namespace.
func mountProc() cnsenter.Step {
	return cnsenter.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
}
