// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Foreign returns those of the types t of which a process is in another namespace than the calling thread. It is the process of the
// pidfd, pidfd_open(2), which has the number pid; the pidfd stays the caller's. Types that the kernel does not have are left out.
// The errors are those of OpenPID, and fs.ErrClosed; where /proc is not mounted Foreign works since Linux 6.11.
func Foreign(pidfd *os.File, pid int, t Type) (Type, error) {
	foreign, err := foreignLinks(pid, t)
	if err != nil && !errors.Is(err, fs.ErrPermission) { // no process, or no /proc to believe
		foreign, err = foreignHandles(pidfd, t)
	}
	if err == nil {
		err = stillThere(pidfd)
	}
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			err = &Error{Op: "open", Ref: "pid " + strconv.Itoa(pid), Err: err}
		}
		return 0, err
	}
	return foreign, nil
}

// foreignLinks compares what the links in /proc/PID/ns say, such as "net:[4026531840]": no namespace is opened for that. In a visit /proc
// is what somebody else has mounted there, who would gain by links that are the same: it has to be a proc file system, and nothing may
// be mounted on what is looked at, RESOLVE_NO_XDEV in openat2(2). And it has to be of our PID namespace, or the number is another's.
func foreignLinks(pid int, t Type) (foreign Type, err error) {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
	proc, err := unix.Open("/proc", flags, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(proc)
	var st unix.Statfs_t
	if err := unix.Fstatfs(proc, &st); err != nil {
		return 0, err
	}
	if st.Type != unix.PROC_SUPER_MAGIC || !knowsUs(proc) {
		return 0, unix.ENOENT
	}
	theirs, err := unix.Openat2(proc, strconv.Itoa(pid)+"/ns", &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV})
	if err != nil {
		return 0, err
	}
	defer unix.Close(theirs)
	ours, err := unix.Openat2(proc, "thread-self/ns", &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV})
	if err != nil {
		return 0, err
	}
	defer unix.Close(ours)
	for typ := range t.Each() {
		var a, b [64]byte
		m, err := unix.Readlinkat(ours, typ.String(), b[:])
		if err == unix.ENOENT {
			continue // not a type of this kernel
		}
		if err != nil {
			return 0, err
		}
		n, err := unix.Readlinkat(theirs, typ.String(), a[:])
		if err != nil {
			return 0, err
		}
		if string(a[:n]) != string(b[:m]) {
			foreign |= typ
		}
	}
	return foreign, nil
}

// stillThere makes sure that what /proc showed was the process of the pidfd: it has not ended, so nobody else has its number.
func stillThere(pidfd *os.File) error {
	return control(pidfd, func(fd int) error {
		if exited(fd) {
			return unix.ESRCH
		}
		return nil
	})
}

// knowsUs reports whether a proc file system is of our PID namespace: it has us under the number that we have.
func knowsUs(proc int) bool {
	var self [16]byte
	n, err := unix.Readlinkat(proc, "self", self[:])
	return err == nil && string(self[:n]) == strconv.Itoa(unix.Getpid())
}

func foreignHandles(pidfd *os.File, t Type) (foreign Type, err error) {
	for typ := range t.Each() {
		same, err := shares(pidfd, typ)
		if err != nil {
			return 0, err
		}
		if !same {
			foreign |= typ
		}
	}
	return foreign, nil
}

func shares(pidfd *os.File, t Type) (bool, error) {
	ours, err := Current(t)
	if errors.Is(err, fs.ErrNotExist) && unix.Access("/proc/thread-self/ns", unix.F_OK) == nil {
		return true, nil // not a type of this kernel; without /proc that cannot be told before Linux 6.11
	}
	if err != nil {
		return false, err
	}
	defer ours.Close()
	theirs, err := FromPIDFD(pidfd, t)
	if err != nil {
		return false, err
	}
	defer theirs.Close()
	return ours.ID() == theirs.ID(), nil
}
