// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/reexec/internal/taken"
	"golang.org/x/sys/unix"
)

// callee is what the environment says of the call that this process was started for.
type callee struct {
	fd  int
	err error // why it is no good
}

// takeCall looks what the variable says. It runs before the init functions of every package that imports this one.
func takeCall() *callee {
	if !taken.There || secureMode() {
		return nil
	}
	n, err := strconv.ParseUint(taken.Value, 10, 31)
	c := &callee{fd: int(n), err: err}
	// Every inherited descriptor becomes close-on-exec, the socket among them, so that children of the worker get none but
	// 0 to 2. Nothing is closed: the runtime, and C code before it, may have opened some.
	if unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) != nil && c.err == nil { // before Linux 5.11
		_, c.err = unix.FcntlInt(uintptr(c.fd), unix.F_SETFD, unix.FD_CLOEXEC)
	}
	return c
}

// secureMode reports whether the person who started this program has fewer rights than it has (AT_SECURE, getauxval(3)):
// then he must not choose which of its functions runs.
func secureMode() bool {
	const atSecure = 23
	auxv, err := unix.Auxv()
	for _, entry := range auxv {
		if entry[0] == atSecure {
			return entry[1] != 0
		}
	}
	return err != nil
}

// socket gives the descriptor, if it is a socket of the kind that a caller makes.
func (c *callee) socket() (int, error) {
	if c.err != nil {
		return -1, fmt.Errorf("not the number of a descriptor: %w", c.err)
	}
	domain, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return -1, os.NewSyscallError("getsockopt", err)
	}
	kind, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return -1, os.NewSyscallError("getsockopt", err)
	}
	if domain != unix.AF_UNIX || kind != unix.SOCK_STREAM {
		return -1, errors.New("not a call socket")
	}
	return c.fd, nil
}
