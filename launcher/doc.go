// SPDX-License-Identifier: Apache-2.0

// Package launcher decides which namespaces of a target to enter, and in which order, and starts programs there.
//
// It is where most programs begin: with a Target for package reexec to call Go functions in, or with a [Cmd] to run programs. For
// plans of other steps there is package cnsenter, for a visit without any process package ns, and for containers by name package
// launcher/engine.
//
// A [Target] is somebody's namespaces: those of a process, or any that were opened before. It works out the
// [cnsenter.Plan] that leads there, and its method Start starts an [exec.Cmd] for this very program with that plan; so
// it is what reexec.In takes to call a function inside:
//
//	web, err := launcher.PID(4711, ns.All)
//	…
//	defer web.Close()
//	name, err := hostname.Call(ctx, reexec.In(web), struct{}{})
//
// # The order
//
// Namespaces that are identical to those of the thread that starts are left out: the kernel refuses a user namespace that one is in already, and
// asks for privileges over the others that an ordinary user does not have. Of the rest, the user namespace decides over
// the order, user_namespaces(7): root enters what the initial user namespace owns before it, and an ordinary user gets the
// privilege to enter anything else only in it. A plan tries both ways and ends with all or none.
//
// Whoever enters a user namespace becomes uid 0 and gid 0 there and leaves his supplementary groups, where the namespace
// lets him; [Target.PreserveCredentials] keeps them. Whoever enters a PID namespace goes on in a child process,
// [cnsenter.Fork].
//
// # What a process has inside
//
//	                  where a user namespace is entered     otherwise
//	uid, gid          0, 0                                  the caller's
//	groups            none, if the namespace allows it      the caller's
//	capabilities      all over that namespace, none of      the caller's
//	                  them inheritable or ambient
//
// And in either case: the caller's no_new_privs, umask, resource limits and oom_score_adj; no blocked signals, those ignored that
// the caller ignores, but for SIGCHLD and SIGPIPE; no controlling terminal, for a copy of this program, which gets a session of its own
// where the caller has one, or the caller's, for a [Cmd]; as root and working directory those of the mount namespace, if one is entered; descriptors 0, 1, 2 and those
// of ExtraFiles. The process cannot be traced or looked into by the target's root, until it executes another program.
//
// # Privileges
//
// To enter takes CAP_SYS_ADMIN in the caller's user namespace and in the one that owns the namespace, for a mount namespace
// also CAP_SYS_CHROOT in the caller's, setns(2). Inside a user namespace that the caller's uid has created he has all
// capabilities, so an ordinary user enters what he owns. Another process is looked at with PTRACE_MODE_READ_REALCREDS,
// ptrace(2). [Target.Check] says what is missing.
//
// # Errors and limits
//
// A Target that cannot be had, or whose process has ended, is an *[Error], and one that cannot be entered a *[cnsenter.Error] of Start,
// both with the errno. [PID]
// needs Linux 5.8, the rest what package cnsenter needs. To enter takes the constructor, and so cgo: without it, and off Linux, Start
// returns [cnsenter.ErrNotLinked].
package launcher
