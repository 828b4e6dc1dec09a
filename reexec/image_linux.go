// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// image is the file that a worker executes: this program's own, also where that has been replaced on disk, proc_pid_exe(5).
const image = "/proc/self/exe"

// checkImage tells whether image is what it seems to be. In a worker that has entered a mount namespace /proc is the target's, which
// may have put any file there, and the nested worker would be a program of the target. So no file system may be mounted on the
// way from /proc to the link, and the link must be the kernel's.
func checkImage() error {
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%w: /proc: %w", ErrNoImage, err)
	}
	defer unix.Close(proc)
	const flags = unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	link, err := unix.Openat2(proc, "self/exe", &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV})
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 5.6, and in sandboxes that do not know it
		link, err = unix.Openat(proc, "self/exe", flags, 0)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNoImage, image, err)
	}
	defer unix.Close(link)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(link, &fs); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNoImage, image, err)
	}
	if fs.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("%w: %s: not in a procfs: %w", ErrNoImage, image, unix.ENOTSUP)
	}
	return nil
}
