// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"math"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// dropInherited closes the descriptors from 3 on that were handed down to this process, but for those to keep, which become
// close-on-exec. Handed down is what is not close-on-exec, execve(2): the runtime opens its own so, and Go packages do. C code
// that has opened some without O_CLOEXEC by now loses them.
//
// Without a procfs, as in a target, where whoever entered it has closed what there was, none is closed, but all become close-on-exec.
func dropInherited(keep ...int) error {
	for _, fd := range openDescriptors() {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 && fd > 2 && !slices.Contains(keep, fd) {
			unix.Close(fd)
		}
	}
	err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil { // since Linux 5.11
		return nil
	}
	for _, fd := range keep {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			return err
		}
	}
	return nil
}

// openDescriptors gives those of this process, nil without a procfs.
func openDescriptors() (fds []int) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	var fs unix.Statfs_t
	if unix.Fstatfs(dir, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return nil
	}
	var buf [4096]byte
	for {
		n, err := unix.ReadDirent(dir, buf[:])
		if err != nil || n <= 0 {
			return fds
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil {
				fds = append(fds, fd)
			}
		}
	}
}
