// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkProcfs tells whether /proc/self/exe and /proc/self/fd are what they seem to be. A process that has entered a mount namespace has
// the target's /proc, which may hold any file under these names, and what was started would be a program of the target. So no
// file system may be mounted on the way to them, and they must be in a procfs.
func checkProcfs() error {
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%w: /proc: %w", ErrNoImage, err)
	}
	defer unix.Close(proc)
	for _, name := range []string{"self/exe", "self/fd"} {
		if err := checkProcfsFile(proc, name); err != nil {
			return fmt.Errorf("%w: /proc/%s: %w", ErrNoImage, name, err)
		}
	}
	return nil
}

func checkProcfsFile(proc int, name string) error {
	const flags = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	file, err := unix.Openat2(proc, name, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV})
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 5.6, and in sandboxes that do not know it
		file, err = unix.Openat(proc, name, flags, 0)
	}
	if err != nil {
		return err
	}
	defer unix.Close(file)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(file, &fs); err != nil {
		return err
	}
	if fs.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("not in a procfs: %w", unix.ENOTSUP)
	}
	return nil
}
