// SPDX-License-Identifier: Apache-2.0

//go:build linux && !cgo

package cnsenter

import (
	"encoding/binary"
	"os"
	"strings"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// ofThread reports whether a thread of a Go program can take the step.
func (s Step) ofThread() bool {
	switch s.op {
	case OpJoin:
		return s.Types()&(ns.User|ns.Time) == 0
	case OpUnshare:
		return s.Types()&(ns.User|ns.Time|ns.PID) == 0
	case OpFork, OpJoinCgroup, OpChroot, OpChdir, OpSetGroups, OpDropGroups, OpSetGID, OpSetUID, OpNoNewPrivs, OpMount, OpWrite, OpExec:
		return true
	}
	return false
}

// take takes the step on the calling thread: unlike those of package syscall, the functions that change ids in package unix change those of one
// thread, and the others know nothing of it.
func (s Step) take() error {
	switch s.op {
	case OpJoin:
		return with(s.file, func(fd int) error { return unix.Setns(fd, int(s.value)) })
	case OpUnshare:
		return unix.Unshare(int(s.value))
	case OpJoinCgroup:
		_, err := s.file.WriteString("0")
		return err
	case OpChroot:
		if err := s.enter(); err != nil {
			return err
		}
		return unix.Chroot(".")
	case OpChdir:
		if err := s.enter(); err != nil || s.value != 0 {
			return err
		}
		_, err := unix.Getwd() // fails where the root does not hold it
		return err
	case OpSetGroups:
		var gids []int
		for b := []byte(s.data); len(b) > 0; b = b[4:] {
			gids = append(gids, int(binary.NativeEndian.Uint32(b)))
		}
		return unix.Setgroups(gids)
	case OpDropGroups:
		err := unix.Setgroups(nil)
		if err == unix.EPERM && maySetgid() { // so it is a user namespace that denies it
			return nil
		}
		return err
	case OpSetGID:
		return unix.Setresgid(int(s.value), int(s.value), int(s.value))
	case OpSetUID:
		return unix.Setresuid(int(s.value), int(s.value), int(s.value))
	case OpNoNewPrivs:
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	case OpMount:
		texts := strings.Split(s.data, "\x00")
		return unix.Mount(texts[0], texts[1], texts[2], uintptr(s.value), texts[3])
	case OpWrite:
		return s.write()
	}
	return nil // Fork and Exec come after all others
}

// enter changes the working directory of the thread.
func (s Step) enter() error {
	if s.file == nil {
		return unix.Chdir(s.data)
	}
	return with(s.file, unix.Fchdir)
}

func (s Step) write() error {
	path, text, _ := strings.Cut(s.data, "\x00")
	return with(s.file, func(dir int) error {
		fd, err := unix.Openat(dir, path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		_, err = unix.Write(fd, []byte(text))
		return err
	})
}

// with calls f with the descriptor, which stays open meanwhile.
func with(file *os.File, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := conn.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return inner
}

// maySetgid reports whether the calling thread has CAP_SETGID in its user namespace.
func maySetgid() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SETGID) != 0
}
