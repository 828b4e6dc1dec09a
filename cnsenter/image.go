// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// self is the file of this program. Whoever sees a process in /proc can reach the file that it runs, by /proc/PID/exe: root of a container
// might write to the host's program that way. So this program is started either
//   - by its own file, through a mount of that alone which is read-only and attached nowhere, mount_setattr(2). It costs
//     nothing, and takes Linux 5.12 and CAP_SYS_ADMIN;
//   - or from a copy in memory that nobody can change, see Seal.
const self = "/proc/self/exe"

// image is the file to execute in place of self, or nil for self as it is. The copy is for plans that join a user namespace, unless
// the plan executes another program in the end, and for those who cannot mount. Who can do neither, or could not write to self himself, starts
// that.
func (p Plan) image() *os.File {
	joinsUser := slices.ContainsFunc(p, func(s Step) bool { return s.op == OpJoin && s.Types().Has(ns.User) })
	if joinsUser && !p.has(OpExec) && Seal() == nil {
		return sealed.file
	}
	if f := readOnly(); f != nil {
		return f
	}
	if unix.Faccessat(unix.AT_FDCWD, self, unix.W_OK, unix.AT_EACCESS) == nil && Seal() == nil {
		return sealed.file
	}
	return nil
}

// readOnly opens the mount; it stays open for as long as this process lives.
var readOnly = sync.OnceValue(func() *os.File {
	fd, err := unix.OpenTree(unix.AT_FDCWD, self, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "read-only mount of "+self)
})

// descriptorPath leads to an open file, and to be executed may be close-on-exec: execve(2) opens it before it closes the rest.
func descriptorPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// Seal makes the copy in memory from which Start starts this program where the plan joins a user namespace, unless it is there already,
// and returns nil, or says why there is none. Start makes it itself; call Seal to pay for it at another time, some milliseconds and
// as much memory as the program's file has, or to insist on it.
//
// The copy is sealed, memfd_create(2) and F_ADD_SEALS in fcntl(2), and its mode is 0511: where a user namespace has no power over
// its owner, a process that executes it cannot be traced, not even before it can say so, PR_SET_DUMPABLE in prctl(2).
//
// There is no copy where the sysctl vm.memfd_noexec is 2, memfd_create(2), and where the program cannot read its own file, as in
// a process that was started from such a copy. Start then uses the file itself, read-only if it may. To a process that was started
// from the copy os.Executable gives no path that leads anywhere.
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
	if err := checkProcfs(); err != nil {
		return fail(err)
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
