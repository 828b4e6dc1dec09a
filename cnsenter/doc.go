// SPDX-License-Identifier: Apache-2.0

// Package cnsenter starts copies of a program that switch namespaces before their Go runtime starts.
//
// The kernel lets only a single-threaded process enter a user or time namespace, and only the children of a process are born
// inside a PID namespace that it joined, setns(2). A Go program has many threads before its first line runs. So this package
// links a constructor into the program: C code that the loader calls before the runtime. [Plan.Start] starts a copy of the
// program and hands it a plan, which the constructor carries out step by step. To choose the steps is up to the caller; package
// launcher does it for namespaces of processes. In-process switching, where the kernel allows it, is package ns.
//
// # The way of a plan
//
//	caller                                   copy of this program
//	──────                                   ────────────────────
//	send plan and files into a socket
//	start the copy          ───── exec ────► constructor: receive and check the plan, protect the process,
//	                                         take every step
//	                                         the Go runtime starts
//	(nil or *Error)         ◄──── report ──  package cnsenter is initialised: go to the target's root directory
//	                                         all other packages, main
//
// Where the root directory stays what it was, or the program of an Exec step follows, the constructor reports.
//
// The environment holds one variable, AIRLOCK_PLAN, with the number of the socket's descriptor and nothing else. It is gone
// before any Go code runs. It is ignored in set-user-ID, set-group-ID and file-capability programs, AT_SECURE in getauxval(3); in
// others, where it names no socket that holds a plan, the process ends. A program that is started without it pays one look-up in
// its environment, and no system call.
//
// # What holds
//
// Any failure ends the process before main, with the step and the errno in the caller's *[Error]. Success is a message of the
// copy: a program without the constructor is not mistaken for one that has taken its steps.
//
// The target of a plan may be hostile. Before the first step the process is made non-dumpable, so that the root of a user
// namespace that it enters can neither trace it nor look through its /proc files; every descriptor that is not the
// program's own is closed; and glibc's name service is confined to files, since it would otherwise load libraries of the target
// and run them. After a mount namespace or a root directory was changed, the Go runtime starts under a root directory in which it
// finds none of the files that it reads while it starts, because one of the target's could be a FIFO; so it does not learn of
// the CPU limit of its cgroup: GOMAXPROCS is the number of CPUs. Before package os, and whatever imports it, is initialised, the
// process goes to the target's root directory: the init functions of a program run inside.
//
// What is read, looked up or executed after that comes from the target, and a Go function inside has to take care of itself: build
// with -tags osusergo,netgo to have no name service but Go's, and execute no program of the target with more rights than it
// should have.
//
// # Privileges
//
// Each step takes what its system call takes, and nothing is tried that is not in the plan: CAP_SYS_ADMIN for [Join] and [Unshare], by
// setns(2) and unshare(2), but for a new user namespace, in which the process has all capabilities for the steps that follow. To go to
// the target's root directory takes CAP_SYS_CHROOT; where a step gives that up, a child that has it stays until it is done.
//
// # Threads and processes
//
// No thread of the caller moves. A program whose plan has a [Fork] is two processes, the relay and its child; the others are one. A
// process that a plan has started outlives the caller, unless a relay stands between, or [DieWithCaller] is in the plan, or it ends by itself
// as the workers of package reexec do.
//
// # Limits
//
// A plan has at most 64 steps, and paths and groups of 64 KiB in all. It needs Linux 4.11 and cgo; built without cgo or for other
// systems, Start returns [ErrNotLinked]. Without cgo [Plan.Replace] still takes what steps a thread of a Go program can. Joins by pidfd
// need Linux 5.8, and [Attach] needs Linux 5.2.
package cnsenter
