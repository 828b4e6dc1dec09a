// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctl calls ioctl(2) with a buffer of 8 bytes, for which package unix has no function.
func ioctl(fd int, req uint, b *[8]byte) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(req), uintptr(unsafe.Pointer(b)))
	if errno != 0 {
		return errno
	}
	return nil
}
