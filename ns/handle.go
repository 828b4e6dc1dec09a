// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"os"
	"syscall"
)

// RunNetns is the directory in which ip-netns(8) keeps its named network namespaces.
const RunNetns = "/run/netns"

// Handle is an open namespace: it owns one descriptor, which keeps the namespace alive until Close.
// What a Handle stands for never changes, whatever becomes of the path or process it came from. Its
// methods may be called at the same time from any goroutine. The zero Handle is closed.
type Handle struct {
	file *os.File
	typ  Type
	id   ID
}

// Type returns the one type of the namespace, also after Close; that of the zero Handle is 0.
func (h *Handle) Type() Type {
	if h == nil {
		return 0
	}
	return h.typ
}

// ID returns the identity of the namespace, also after Close; that of the zero Handle is ID{}.
func (h *Handle) ID() ID {
	if h == nil {
		return ID{}
	}
	return h.id
}

// String returns type and inode in the kernel's form, "net:[4026531840]", also after Close, and
// "closed" for the zero Handle.
func (h *Handle) String() string {
	if h == nil || h.typ == 0 {
		return "closed"
	}
	return h.typ.String() + ":[" + h.id.String() + "]"
}

// File returns the Handle's own file, not a duplicate: it is valid until Close, and closing it closes
// the Handle. Its Name is the path by which the namespace was opened. It is nil for the zero Handle.
func (h *Handle) File() *os.File {
	if h == nil {
		return nil
	}
	return h.file
}

// Close releases the descriptor. Closing twice, or closing the zero Handle, does nothing. A Do that
// is under way is not disturbed.
func (h *Handle) Close() error {
	if h == nil || h.file == nil {
		return nil
	}
	// The one error that close(2) of a namespace can give is that the file is closed already.
	_ = h.file.Close()
	return nil
}

// ref names h in errors: the path that it was opened by.
func (h *Handle) ref() string {
	if h == nil || h.file == nil {
		return h.String()
	}
	return h.file.Name()
}

// control calls f with the descriptor, which stays open until f returns, also when Close comes
// first. It returns os.ErrClosed if the Handle is closed.
func (h *Handle) control(f func(fd int)) error {
	if h == nil || h.file == nil {
		return os.ErrClosed
	}
	var c syscall.RawConn
	c, err := h.file.SyscallConn()
	if err == nil {
		err = c.Control(func(fd uintptr) { f(int(fd)) })
	}
	if err != nil {
		return os.ErrClosed
	}
	return nil
}
