// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	fmt.Fprintln(os.Stderr, "without:", run(os.Args[1:]))
	os.Exit(125)
}

// run returns only with an error.
func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: without NAME,… PROGRAM ARGUMENT…")
	}
	program, err := filter(strings.Split(args[0], ","))
	if err != nil {
		return err
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the filter is the thread's that executes
	if err := install(program); err != nil {
		return err
	}
	return fmt.Errorf("execute %s: %w", path, syscall.Exec(path, args[1:], os.Environ()))
}

// install sets the calling thread's filter. Without CAP_SYS_ADMIN that takes no_new_privs, seccomp(2), under which set-user-ID programs are
// ordinary ones.
func install(program []unix.SockFilter) error {
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	set := func() error {
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&fprog)))
		if errno != 0 {
			return os.NewSyscallError("seccomp", errno)
		}
		return nil
	}
	err := set()
	if errors.Is(err, unix.EACCES) {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return os.NewSyscallError("prctl", err)
		}
		err = set()
	}
	return err
}
