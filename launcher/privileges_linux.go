// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"os"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// ownPrivileges returns those of the calling thread.
func ownPrivileges() (*privileges, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return nil, os.NewSyscallError("capget", err)
	}
	ours, err := ns.Current(ns.User)
	if err != nil {
		return nil, err
	}
	has := func(capability uint) bool { return data[capability/32].Effective>>(capability%32)&1 == 1 }
	return &privileges{
		ours: ours, admin: has(unix.CAP_SYS_ADMIN), chroot: has(unix.CAP_SYS_CHROOT), uid: os.Geteuid(),
	}, nil
}
