// SPDX-License-Identifier: Apache-2.0

// Package container knows containers as the kernel does: by the cgroups of their processes, which every engine names
// after the container. It needs no engine, and links the standard library and golang.org/x/sys alone.
//
// An engine tells the pid of a container's first process, but between its answer and the use of the number the process may
// end, and another get its number. [Open] takes hold of the process, and [Process.Check] finds out whether what is held is the
// container's:
//
//	p, err := container.Open(info.PID)
//	…
//	defer p.Close()
//	target, err := launcher.PID(info.PID, ns.All)
//	…
//	err = p.Check(info.ID) // also: the number was this process's all the time, so target is of it
//
// [Find] goes the other way, from an id to the process, for containers whose engine cannot be asked. Package
// launcher/engine asks the engines. It is a package of its own because not everybody who has an id wants to link their clients.
//
// It needs no privilege to look, except where /proc hides the processes of others (hidepid in proc(5)), and sees what the caller's /proc
// shows: from within a container only that one's processes. It needs Linux 5.3; elsewhere everything fails with errors.ErrUnsupported.
package container
