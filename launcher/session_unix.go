// SPDX-License-Identifier: Apache-2.0

//go:build unix

package launcher

import (
	"os"
	"syscall"
)

// leavesTerminal reports whether a process with the attributes has to be taken away from the caller's controlling terminal: if there is
// one, and the attributes say nothing of sessions and process groups. Otherwise it stays in the caller's session: a new one is a
// new group to the scheduler, sched(7), and on a busy machine its first process waits some milliseconds for its turn.
func leavesTerminal(a *syscall.SysProcAttr) bool {
	if a != nil && (a.Setsid || a.Setpgid || a.Setctty || a.Foreground) {
		return false
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_RDONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	terminal.Close()
	return true
}
