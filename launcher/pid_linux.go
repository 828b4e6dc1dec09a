// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// PID returns the Target of the namespaces of a process, among the types t. The process is held by a pidfd: another one that gets its
// number later is never entered. Each Start joins the namespaces in which the process then is, and the thread that starts is not; when
// it has ended, Start fails with ESRCH. Types that the kernel does not have are left out.
//
// The error is an *Error: ESRCH for a pid that no process has, or that has ended, EACCES where the caller may not look at
// the process. PID needs Linux 5.8. The caller closes the Target.
func PID(pid int, t ns.Type) (*Target, error) {
	failed := func(err error) (*Target, error) {
		return nil, &Error{Op: "open", Ref: fmt.Sprintf("pid %d", pid), Err: err}
	}
	if t == 0 || t&^ns.All != 0 {
		return failed(fmt.Errorf("%w: no namespace types: %v", os.ErrInvalid, t))
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return failed(err)
	}
	target := &Target{pidfd: os.NewFile(uintptr(fd), fmt.Sprintf("pid %d", pid)), pid: pid, asked: t}
	// Whoever may look at one of its namespaces may look at all, ptrace(2).
	if _, err := ns.Foreign(target.pidfd, pid, t&-t); err != nil {
		target.Close()
		return failed(err)
	}
	return target, nil
}
