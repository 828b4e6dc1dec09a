// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/reexec/internal/taken"
	"golang.org/x/sys/unix"
)

// callee is what the environment says of the call that this process was started for.
type callee struct {
	fd    int
	err   error // why it is no good
	cover coverDir
}

// takeCall looks what the variable says. It runs before the init functions of every package that imports this one.
func takeCall() *callee {
	if !taken.There || secureMode() {
		return nil
	}
	c := &callee{cover: takeCoverDir()}
	n, err := strconv.ParseUint(taken.Value, 10, 31)
	if err != nil {
		c.err = err
		return c
	}
	c.fd = int(n)
	keep := []int{c.fd}
	if c.cover.fd >= 0 {
		keep = append(keep, c.cover.fd)
	}
	c.err = dropInherited(keep...)
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

// exit ends the worker.
func exit(status int) {
	if raceEnabled && called.cover.fd < 0 {
		// The race detector would sleep for a second. It reads GORACE, which tells it not to, when the process starts, and
		// from /proc/self/environ, which a Starter that enters a mount namespace may have hidden then.
		unix.Exit(status)
	}
	called.cover.enter()
	os.Exit(status)
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
