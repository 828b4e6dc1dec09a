// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package ns

import (
	"context"
	"errors"
	"iter"
	"os"
	"strconv"
	"syscall"
)

// Namespaces are a feature of Linux: elsewhere every function that would touch one fails with an
// *Error that wraps errors.ErrUnsupported, so that programs build everywhere.

func unsupported(op, ref string) error {
	return &Error{Op: op, Ref: ref, Err: errors.ErrUnsupported}
}

func device() (uint64, error) { return 0, errors.ErrUnsupported }

func Open(path string) (*Handle, error) { return nil, unsupported("open", path) }

func OpenNamed(name string) (*Handle, error) { return nil, unsupported("open", name) }

func OpenPID(pid int, t Type) (*Handle, error) { return nil, unsupported("open", t.String()) }

func OpenThread(pid, tid int, t Type) (*Handle, error) { return nil, unsupported("open", t.String()) }

func FromPIDFD(pidfd *os.File, t Type) (*Handle, error) { return nil, unsupported("open", t.String()) }

func FromFile(f *os.File) (*Handle, error) { return nil, unsupported("open", f.Name()) }

func FromSocket(c syscall.Conn) (*Handle, error) {
	return nil, unsupported("open", "the namespace of a socket")
}

func OpenKernelID(id KernelID) (*Handle, error) {
	return nil, unsupported("open", "number "+strconv.FormatUint(id.Number, 10))
}

func Current(t Type) (*Handle, error) { return nil, unsupported("open", t.String()) }

func (h *Handle) Owner() (*Handle, error) { return nil, unsupported("find the owner of", h.ref()) }

func (h *Handle) Parent() (*Handle, error) { return nil, unsupported("find the parent of", h.ref()) }

func (h *Handle) KernelID() (KernelID, error) {
	return KernelID{}, unsupported("find the kernel's number of", h.ref())
}

func (h *Handle) OwnerUID() (int, error) { return 0, unsupported("find the owner of", h.ref()) }

func Do(f func() error, hs ...*Handle) error { return unsupported("enter", "namespaces") }

func Go(f func(), hs ...*Handle) error { return unsupported("enter", "namespaces") }

func Enter(hs ...*Handle) error { return unsupported("enter", "namespaces") }

func New(s Spec) (*Set, error) { return nil, unsupported("create", s.Types.String()) }

type keeper struct{ process *os.Process }

func (k *keeper) end() error { return errors.ErrUnsupported }

func (k *keeper) reap() {}

func (h *Handle) Pin(path string) error { return unsupported("pin", path) }

func Unpin(path string) error { return unsupported("unpin", path) }

func List(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) { yield(Info{}, unsupported("list", "/proc")) }
}

func (i Info) Open() (*Handle, error) { return nil, unsupported("open", i.Type.String()) }
