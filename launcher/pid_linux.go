// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/ns"
)

// PID returns the Target of those namespaces of a process, among the types t, that the caller is not in. The process is held by a
// pidfd: another one that gets its number later is never entered. Each Start joins the namespaces in which the process
// then is; when it has ended, Start fails with ESRCH. Types that the kernel does not have are left out.
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
	pidfd, types, err := ns.Foreign(pid, t)
	if err != nil {
		return failed(err)
	}
	return &Target{pidfd: pidfd, types: types}, nil
}
