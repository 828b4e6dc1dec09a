// SPDX-License-Identifier: Apache-2.0

//go:build unix

package launcher

import "syscall"

// choosesSession reports whether the attributes put a process into a session, or a process group, of their own.
func choosesSession(a *syscall.SysProcAttr) bool {
	return a != nil && (a.Setsid || a.Setpgid || a.Setctty || a.Foreground)
}
