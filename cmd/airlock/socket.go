// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// socket is a descriptor of the target that the net namespace is known by.
type socket struct {
	given bool
	fd    int
}

func (s *socket) set(v string, _ bool) error {
	fd, err := strconv.ParseInt(v, 10, 32)
	if err != nil || fd < 0 {
		return fmt.Errorf("%q is no descriptor", v)
	}
	*s = socket{given: true, fd: int(fd)}
	return nil
}

// namespace opens the net namespace of the socket, SIOCGSKNS. The socket is duplicated out of the target for that, pidfd_getfd(2),
// Linux 5.6.
func (s socket) namespace(target *process) (*ns.Handle, error) {
	name := fmt.Sprintf("descriptor %d of process %d", s.fd, target.pid)
	pidfd, err := target.pidfd()
	if err != nil {
		return nil, err
	}
	defer unix.Close(pidfd)
	fd, err := unix.PidfdGetfd(pidfd, s.fd, 0)
	if err != nil {
		return nil, fmt.Errorf("--net-socket: %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	h, err := ns.FromSocket(f)
	if err != nil {
		return nil, fmt.Errorf("--net-socket: %s: %w", name, err)
	}
	return h, nil
}
