// SPDX-License-Identifier: Apache-2.0

// Package ns answers every question about Linux namespaces, namespaces(7), and runs Go code inside
// them, in this process: it opens, identifies, relates, creates, pins and lists namespaces of all eight
// types. It is pure Go, and needs no Init.
//
//	blue, err := ns.OpenNamed("blue") // or Open, OpenPID, Current, New, …
//	…
//	defer blue.Close()
//	err = ns.Do(func() error { return listen() }, blue)
//
// # References
//
// A [Handle] is an open namespace. It stands for the same namespace for good, however the path or the
// process that it came from changes: questions go to the descriptor, never to the path again. Two
// Handles are of one namespace if their ID is equal. An [Error] names the operation and the object, and
// holds the errno. To open the namespaces of a process is to look at it, PTRACE_MODE_READ in ptrace(2):
// its user may, and who has CAP_SYS_PTRACE over it. To make new ones takes CAP_SYS_ADMIN, or a user
// namespace among them. [Handle.FS] and [Handle.Pin] enter and mount, with the privileges of that.
//
// # Running code
//
// The kernel keeps namespaces per thread, and Go moves goroutines between threads. [Do], [Go] and
// [Call] hide that: they run a function on a thread of its own. [Enter] moves the thread that the caller
// has locked. What can be done in a process of many threads, as a Go program always is, depends on the
// type; package cnsenter does the rest, in a copy of the program.
//
//	type    with Do          goes back   needed to enter, capabilities(7)            since Linux
//	cgroup  yes              yes         CAP_SYS_ADMIN over it and in one's own      4.6
//	ipc     yes              yes         the same                                    3.0
//	net     yes              yes         the same                                    3.0
//	uts     yes              yes         the same                                    3.0
//	mnt     yes              no          the same, and CAP_SYS_CHROOT in one's own   3.8
//	pid     child processes  no          the same as net; descendants of one's own   3.8
//	user    no               -           CAP_SYS_ADMIN in it                         3.8
//	time    no               -           the same as net                             5.6
//
// "Over it" is in the user namespace that owns it, and "one's own" the user namespace of the caller,
// setns(2). Where it says "goes back", the thread returns to where it came from and serves on; else,
// and wherever the way back fails, it ends. Either way no other goroutine ever runs on a thread that is
// elsewhere, and the main thread, which /proc/self shows, never moves. A visit to a net namespace
// takes some microseconds, one to a mnt namespace some tens of them, since a thread dies and is
// replaced; a copy of the program takes milliseconds.
//
// What f starts is not what f is: goroutines run outside, processes started by f itself inside, but for
// the workers of package reexec, which are outside unless they are given a way in. The
// resolver and os/user of a program that uses cgo load libraries by path: inside a mnt namespace of
// somebody else these are that somebody's. Build such programs with the tags osusergo and netgo.
//
// # Kernels
//
// It takes Linux 4.11, ioctl_nsfs(2). The package asks the newest interface first and falls back where the kernel lacks it: ioctls on a
// pidfd (6.11) to /proc/PID/ns, openat2(2) (5.6) to a walk of its own, pidfd_open(2) (5.3) to an open
// directory in /proc. KernelID alone has no fallback. Off Linux everything builds, and fails with
// errors.ErrUnsupported.
package ns
