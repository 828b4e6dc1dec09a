// SPDX-License-Identifier: Apache-2.0

//go:build linux

package cnsenter

// #include "wire.h"
import "C"

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Go's half of a plan that changes the root directory: the constructor left the process under the caller's root while the runtime
// started, and now it goes to the target's. All threads share one root and working directory, so every goroutine goes along.
//
// Initialisation of packages that do not import this one may come earlier, and sees the caller's root.
func init() {
	rest := &C.airlock_rest
	if rest.root < 0 {
		return
	}
	report := C.struct_airlock_report{magic: C.AIRLOCK_MAGIC, outcome: C.AIRLOCK_DONE}
	if err := enterRoot(rest); err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		report.outcome, report.step, report.error = C.AIRLOCK_FAILED, C.AIRLOCK_STAGE_ROOT, C.int32_t(errno)
	}
	if rest.socket < 0 { // nobody waits for a report: see package atstart
		if report.outcome != C.AIRLOCK_DONE {
			print("airlock: the root directory of the mount namespace: ", syscall.Errno(report.error).Error(), "\n")
			unix.Exit(1)
		}
		return
	}
	err := unix.Send(int(rest.socket), bytesOf(&report), unix.MSG_NOSIGNAL)
	if err != nil || report.outcome != C.AIRLOCK_DONE {
		unix.Exit(1)
	}
	unix.Close(int(rest.socket))
}

func enterRoot(rest *C.struct_airlock_rest) error {
	root, cwd := int(rest.root), int(rest.cwd)
	var err error
	if rest.helper >= 0 {
		err = askHelper(int(rest.helper), int(rest.pid))
	} else {
		err = errors.Join(unix.Fchdir(root), unix.Chroot("."), unix.Fchdir(cwd))
	}
	if err != nil {
		return err
	}
	unix.Close(root)
	unix.Close(cwd)
	_, err = unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{}) // the belt of constructor.c
	return err
}

// askHelper lets the helper of root.c change the directories, which are its as well as ours, and reaps it.
func askHelper(channel, pid int) error {
	defer unix.Close(channel)
	if _, err := unix.Write(channel, []byte{0}); err != nil {
		return err
	}
	var errno C.int32_t
	n, err := unix.Read(channel, bytesOf(&errno))
	if err != nil {
		return err
	}
	if _, err := unix.Wait4(pid, nil, unix.WALL, nil); err != nil {
		return err
	}
	switch {
	case n != int(unsafe.Sizeof(errno)):
		return unix.EPIPE
	case errno != 0:
		return syscall.Errno(errno)
	}
	return nil
}
