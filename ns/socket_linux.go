// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// FromSocket opens the network namespace that a socket belongs to, that of its creator, wherever the
// socket is now: a net.TCPConn, a net.TCPListener, or an os.File of any socket. It needs
// CAP_NET_ADMIN over that namespace. If c is no socket, the error holds ErrNotNamespace.
func FromSocket(c syscall.Conn) (*Handle, error) {
	const ref = "the namespace of a socket"
	fd := -1
	raw, err := c.SyscallConn()
	if err == nil {
		cerr := raw.Control(func(s uintptr) { fd, err = socketNetns(int(s)) })
		err = errors.Join(cerr, err)
	}
	if err != nil {
		return nil, &Error{Op: "open", Ref: ref, Err: err}
	}
	return adopt(os.NewFile(uintptr(fd), ref), ref, nil)
}

// socketNetns asks only sockets: the number of the ioctl may mean something else to a device.
func socketNetns(s int) (int, error) {
	var st unix.Stat_t
	if err := unix.Fstat(s, &st); err != nil {
		return -1, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return -1, fmt.Errorf("%w: %w", ErrNotNamespace, unix.ENOTSOCK)
	}
	return unix.IoctlRetInt(s, unix.SIOCGSKNS)
}
