// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Owner opens the user namespace that owns h: privileges over h are those that a process holds in
// it, user_namespaces(7). The owner of a user namespace is its parent. ErrNoOwner holds if the owner
// lies outside the caller's reach. The caller closes the Handle.
func (h *Handle) Owner() (*Handle, error) {
	return h.related("find the owner of", unix.NS_GET_USERNS, ErrNoOwner)
}

// Parent opens the parent of h, which has to be a pid or user namespace. ErrNoParent holds if there
// is none, or none within the caller's reach. The caller closes the Handle.
func (h *Handle) Parent() (*Handle, error) {
	return h.related("find the parent of", unix.NS_GET_PARENT, ErrNoParent)
}

// related opens the namespace that an ioctl of ioctl_nsfs(2) finds. EPERM says that it is out of
// reach, EINVAL that namespaces of this type have none.
func (h *Handle) related(op string, req uint, none error) (*Handle, error) {
	var fd int
	var err error
	if cerr := h.control(func(self int) { fd, err = unix.IoctlRetInt(self, req) }); cerr != nil {
		err = cerr
	}
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("%w: %w", none, err)
	}
	if err != nil {
		return nil, &Error{Op: op, Ref: h.ref(), Err: err}
	}
	return adopt(os.NewFile(uintptr(fd), op[len("find "):]+" "+h.ref()), h.ref(), nil)
}

// OwnerUID returns who made the user namespace h, or, for another type, the user namespace that owns
// h: the effective user id of its creator, as the caller's user namespace maps it, 65534 if it does
// not. That user has all capabilities in h, user_namespaces(7).
func (h *Handle) OwnerUID() (int, error) {
	if h.Type() != User {
		owner, err := h.Owner()
		if err != nil {
			return 0, err
		}
		defer owner.Close()
		h = owner
	}
	var uid uint32
	var err error
	if cerr := h.control(func(fd int) { uid, err = unix.IoctlGetUint32(fd, unix.NS_GET_OWNER_UID) }); cerr != nil {
		err = cerr
	}
	if err != nil {
		return 0, &Error{Op: "find the owner's uid of", Ref: h.ref(), Err: err}
	}
	return int(uid), nil
}
