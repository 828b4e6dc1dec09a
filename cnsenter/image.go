// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// self is the file of this program. A cmd of that path is started from the sealed copy.
const self = "/proc/self/exe"

// Seal makes the copy of this program that every Start of /proc/self/exe uses, unless it is there already, and returns nil, or
// says why there is none. Start makes it itself; call Seal to pay for the copy at another time, some milliseconds and as much memory as
// the program's file has, or to insist on it.
//
// Whoever sees a process in /proc can reach the file that it runs, by /proc/PID/exe, and root of a container might write to it and so
// to the host's program. The copy is a file in memory that nobody can change, memfd_create(2) and F_ADD_SEALS in fcntl(2). Its mode is
// 0511: where a user namespace has no power over the file, a process that executes it stays undumpable, ptrace(2).
//
// There is no copy where the sysctl vm.memfd_noexec is 2, memfd_create(2), and where the program cannot read its own file, as in
// a process that was started from such a copy, and in a user namespace that does not map the file's owner. Start then uses the
// file itself. os.Executable of a process that was started from the copy is no path.
func Seal() error {
	sealed.Do(func() { sealed.file, sealed.err = sealedCopy() })
	return sealed.err
}

var sealed struct {
	sync.Once
	file *os.File // open for as long as this process lives
	err  error
}

func sealedCopy() (*os.File, error) {
	fail := func(err error) (*os.File, error) {
		return nil, &Error{Step: -1, Op: OpSeal, Path: self, Err: err}
	}
	program, err := os.Open(self)
	if err != nil {
		return fail(err)
	}
	defer program.Close()
	flags := unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("airlock", flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3
		fd, err = unix.MemfdCreate("airlock", flags)
	}
	if err != nil {
		return fail(fmt.Errorf("memfd_create (see the sysctl vm.memfd_noexec): %w", err))
	}
	memory := os.NewFile(uintptr(fd), "sealed copy of "+self)
	_, err = io.Copy(memory, program)
	if err == nil {
		err = memory.Chmod(0o511)
	}
	if err == nil {
		const all = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, all)
		err = os.NewSyscallError("fcntl", err)
	}
	if err != nil {
		memory.Close()
		return fail(err)
	}
	return memory, nil
}

// protectedImage is the file by which this program is executed once, by a process that does not live on to use a copy for long: its own file,
// by way of a mount that is read-only and nowhere to be seen, mount_setattr(2). That takes a fiftieth of the time of a copy, Linux
// 5.12, and CAP_SYS_ADMIN. Who has not got that may be the owner of the file: then it is the copy. Nil: the file as it is, which
// we cannot write to either.
func protectedImage() *os.File {
	if fd, err := readOnlyMount(self); err == nil {
		return os.NewFile(uintptr(fd), self)
	}
	if unix.Faccessat(unix.AT_FDCWD, self, unix.W_OK, unix.AT_EACCESS) == nil && Seal() == nil {
		return sealed.file
	}
	return nil
}

// descriptorPath leads to an open file, and to be executed may be close-on-exec: execve(2) opens it before it closes the rest.
func descriptorPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

func readOnlyMount(path string) (int, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("open_tree", err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return -1, errors.Join(os.NewSyscallError("mount_setattr", err), unix.Close(fd))
	}
	return fd, nil
}
