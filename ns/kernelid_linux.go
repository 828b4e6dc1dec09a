// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// KernelID returns what identifies the namespace until the machine restarts. It needs Linux 6.18;
// before, the error holds errors.ErrUnsupported.
func (h *Handle) KernelID() (KernelID, error) {
	var b [8]byte
	var err error
	cerr := h.control(func(fd int) { err = ioctl(fd, unix.NS_GET_ID, &b) })
	if cerr != nil {
		err = cerr
	}
	if errors.Is(err, unix.ENOTTY) {
		err = fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	if err != nil {
		return KernelID{}, &Error{Op: "find the kernel's number of", Ref: h.ref(), Err: err}
	}
	return KernelID{Number: binary.NativeEndian.Uint64(b[:]), Type: h.typ, Ino: uint32(h.id.Ino)}, nil
}

// Where name_to_handle_at(2) would lead, for a namespace: the root of nsfs, and the kind of handle
// that holds a KernelID, linux/nsfs.h.
const (
	nsfsRoot   = -10003
	nsfsHandle = 0xf1
)

// OpenKernelID opens the namespace that id stands for. If it is gone, the error holds ESTALE. The
// caller has to be in the namespace or to have power over it, and in newer kernels over the initial
// pid namespace. It needs Linux 6.18; before, the error holds errors.ErrUnsupported.
func OpenKernelID(id KernelID) (*Handle, error) {
	ref := "number " + strconv.FormatUint(id.Number, 10)
	var b [16]byte
	binary.NativeEndian.PutUint64(b[:8], id.Number)
	binary.NativeEndian.PutUint32(b[8:12], uint32(id.Type))
	binary.NativeEndian.PutUint32(b[12:], id.Ino)
	fd, err := unix.OpenByHandleAt(nsfsRoot, unix.NewFileHandle(nsfsHandle, b[:]), unix.O_RDONLY|unix.O_CLOEXEC)
	if err == unix.EBADF || err == unix.ENOSYS { // nsfsRoot is no descriptor to an older kernel
		err = fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	if err != nil {
		return nil, &Error{Op: "open", Ref: ref, Err: err}
	}
	return adopt(os.NewFile(uintptr(fd), ref), ref, nil)
}
