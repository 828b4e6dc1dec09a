// SPDX-License-Identifier: Apache-2.0

// Package atstart lets whoever starts a program choose the namespaces it runs in:
//
//	import _ "github.com/airlock-ns/airlock/cnsenter/atstart"
//
//	AIRLOCK_JOIN=mnt=/proc/4711/ns/mnt,net=/run/netns/blue ./tool
//
// The value is a list of types, as the kernel names them (cgroup, ipc, mnt, net, pid, time, user, uts), each once and each with
// the path of a namespace, which holds no comma. All are opened before the first is joined, and all are joined before the Go
// runtime starts, or the program ends with status 1 and says why. With a user namespace the program becomes uid 0 and gid 0
// there; with a PID namespace it goes on in a child process, as with cnsenter.Fork, and so ends as the child does. What package
// cnsenter does against hostile targets it does here too.
//
// It is for tools that people start by hand, in namespaces that the tool knows nothing of. A program that chooses itself has
// package launcher, and needs no such door. Privileges, kernels and limits are those of package cnsenter.
//
// The variable is gone before any Go code runs. It means nothing to set-user-ID, set-group-ID and file-capability programs,
// AT_SECURE in getauxval(3), to programs that do not import this package, and to those built without cgo.
package atstart
