// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Open opens the namespace at path: a file in /proc/PID/ns, or a bind mount of one. Anything else is
// refused with ErrNotNamespace, without being opened, so that a FIFO does not block and a device is
// not disturbed. The caller closes the Handle.
func Open(path string) (*Handle, error) {
	f, err := openAt(unix.AT_FDCWD, path, path)
	return adopt(f, path, err)
}

// OpenNamed opens the network namespace that ip-netns(8) knows by name. If what has that name is no
// network namespace, the error holds ErrNotNamespace.
func OpenNamed(name string) (*Handle, error) {
	path, err := named(name)
	if err != nil {
		return nil, &Error{Op: "open", Ref: name, Err: err}
	}
	h, err := Open(path)
	if err == nil && h.typ != Net {
		_ = h.Close()
		return nil, &Error{Op: "open", Ref: path, Err: fmt.Errorf("a %v namespace, %w of type net", h.typ, ErrNotNamespace)}
	}
	return h, err
}

// named returns the path of a network namespace of ip-netns(8). A name is one path element.
func named(name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "", unix.EINVAL
	}
	return filepath.Join(RunNetns, name), nil
}

// Current opens the namespace of type t in which the calling thread is. A goroutine that has not
// called runtime.LockOSThread, nor runs inside Do, gets that of an arbitrary thread: in a program
// that leaves its threads where they were, the namespace of the process.
func Current(t Type) (*Handle, error) {
	if t.Len() != 1 || t&^All != 0 {
		return nil, &Error{Op: "open", Ref: "current " + t.String(), Err: ErrNotOneType}
	}
	tid := unix.Gettid()
	ref := procPath(unix.Getpid(), tid, t)
	// Without a look at /proc where the kernel can, since 6.11: inside a Do, /proc may be anything.
	if pidfd, err := unix.PidfdOpen(tid, unix.PIDFD_THREAD); err == nil {
		fd, err := unix.IoctlRetInt(pidfd, pidfdGet[t])
		unix.Close(pidfd)
		if err == nil {
			return adopt(os.NewFile(uintptr(fd), ref), ref, nil)
		}
	}
	f, err := openProc(-1, "/proc/thread-self", t, ref)
	return adopt(f, ref, err)
}

// FromFile returns a Handle for the namespace that f has open. It duplicates the descriptor: f stays
// the caller's, open, and independent of the Handle. Anything else is refused with ErrNotNamespace.
func FromFile(f *os.File) (*Handle, error) {
	var dup *os.File
	c, err := f.SyscallConn()
	if err == nil {
		cerr := c.Control(func(fd uintptr) {
			if err = isNSFS(int(fd)); err == nil {
				dup, err = dupFile(int(fd), f.Name())
			}
		})
		err = errors.Join(cerr, err)
	}
	name := ""
	if f != nil {
		name = f.Name()
	}
	return adopt(dup, name, err)
}

// dup returns a duplicate of the Handle's file.
func (h *Handle) dup() (f *os.File, err error) {
	cerr := h.control(func(fd int) { f, err = dupFile(fd, h.ref()) })
	if cerr != nil {
		return nil, cerr
	}
	return f, err
}

func dupFile(fd int, name string) (*os.File, error) {
	// F_DUPFD with 3 keeps the Handle off the standard descriptors, should they be closed.
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(dup), name), nil
}

// openAt opens the namespace at path, below the directory dir if path is relative, as a file called
// name. The look at the file system comes first: open(2) of a FIFO may block, and that of a device
// has side effects. The flags keep a file that is swapped in between from doing either.
func openAt(dir int, path, name string) (*os.File, error) {
	look, err := retry(func() (int, error) {
		return unix.Openat(dir, path, unix.O_PATH|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, err
	}
	err = isNSFS(look)
	unix.Close(look)
	if err != nil {
		return nil, err
	}
	fd, err := retry(func() (int, error) {
		return unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// isNSFS returns ErrNotNamespace unless fd is a file on nsfs. It comes before every ioctl: the same
// number may mean something else to a device.
func isNSFS(fd int) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return err
	}
	if st.Type != unix.NSFS_MAGIC {
		return ErrNotNamespace
	}
	return nil
}

// adopt makes a Handle of f, which it closes on failure. It asks the descriptor, not the path, for
// type and identity. A descriptor that is already in error is passed on as that error.
func adopt(f *os.File, ref string, err error) (*Handle, error) {
	if err != nil {
		return nil, &Error{Op: "open", Ref: ref, Err: err}
	}
	var st unix.Stat_t
	var t int
	c, err := f.SyscallConn()
	if err == nil {
		cerr := c.Control(func(ufd uintptr) {
			fd := int(ufd)
			if err = isNSFS(fd); err != nil {
				return
			}
			if t, err = unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil {
				return
			}
			err = unix.Fstat(fd, &st)
		})
		err = errors.Join(cerr, err)
	}
	if err != nil {
		_ = f.Close()
		return nil, &Error{Op: "open", Ref: ref, Err: err}
	}
	return &Handle{file: f, typ: Type(t), id: ID{Dev: uint64(st.Dev), Ino: st.Ino}}, nil
}

// device returns the device number that every namespace has, stat(2).
var device = sync.OnceValues(func() (uint64, error) {
	h, err := Current(Net)
	if err != nil {
		return 0, errors.Join(errors.ErrUnsupported, err)
	}
	defer h.Close()
	return h.ID().Dev, nil
})

// retry repeats a system call that a signal interrupted, signal(7).
func retry(f func() (int, error)) (int, error) {
	for {
		fd, err := f()
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func procPath(pid, tid int, t Type) string {
	p := "/proc/" + strconv.Itoa(pid)
	if tid != 0 {
		p += "/task/" + strconv.Itoa(tid)
	}
	return p + "/ns/" + t.String()
}
