// SPDX-License-Identifier: Apache-2.0

package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Process is one that is held, however its number is used.
type Process struct {
	pid   int
	pidfd *os.File
}

// Open takes hold of a process by pidfd_open(2), Linux 5.3. The error is an *Error: ESRCH for a pid that no process has. The caller
// closes the Process.
func Open(pid int) (*Process, error) {
	name := "pid " + strconv.Itoa(pid)
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, &Error{Op: "open", Ref: name, Err: err}
	}
	return &Process{pid, os.NewFile(uintptr(fd), name)}, nil
}

// Close lets go of the process.
func (p *Process) Close() error { return p.pidfd.Close() }

// Check returns nil if the process is in a cgroup of the container with this id, which must be whole, and has not ended. That
// also means that the pid was this process's from Open to here: whatever was opened by the number in between is of it.
//
// Podman as an ordinary user on cgroups of version 1 has none to give: then its mark among the process's mounts decides, which only a
// container with CAP_SYS_ADMIN over its mount namespace could put on itself.
//
// The error is an *Error: ErrOtherProcess for a process of something else, ESRCH for one that has ended.
func (p *Process) Check(id string) error {
	err := p.check(id)
	if exited := p.exited(); exited != nil {
		err = exited // whatever was read may be another process's
	}
	if err != nil {
		return &Error{Op: "check", Ref: p.pidfd.Name(), Err: err}
	}
	return nil
}

func (p *Process) check(id string) error {
	if id == "" || strings.Contains(id, "/") {
		return fmt.Errorf("%w: %q is no id", fs.ErrInvalid, id)
	}
	// What lies in the open directory is one process's for good, proc(5).
	dir, err := os.OpenFile("/proc/"+strconv.Itoa(p.pid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	cgroups, err := readAt(dir, "cgroup")
	if err != nil {
		return err
	}
	all := paths(cgroups)
	for _, path := range all {
		if names(path, id) {
			return nil
		}
	}
	mounts, err := readAt(dir, "mountinfo")
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if marked(mounts, id) {
		return nil
	}
	return fmt.Errorf("%w %s: its cgroups are %s", ErrOtherProcess, id, strings.Join(all, ", "))
}

// exited returns ESRCH once the process has ended, whether somebody has waited for it or not: from then on the pidfd is readable.
func (p *Process) exited() error {
	poll := []unix.PollFd{{Fd: int32(p.pidfd.Fd()), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(poll, 0)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("poll", err)
		case n > 0:
			return unix.ESRCH
		default:
			return nil
		}
	}
}

func readAt(dir *os.File, name string) (string, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: dir.Name() + "/" + name, Err: err}
	}
	f := os.NewFile(uintptr(fd), dir.Name()+"/"+name)
	defer f.Close()
	var b strings.Builder
	_, err = f.WriteTo(&b)
	return b.String(), err
}
