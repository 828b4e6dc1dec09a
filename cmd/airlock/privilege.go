// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// permitted names the privilege that is missing to enter the namespaces, before it is tried. It is not looked for where the caller
// may enter any.
func permitted(goal *launcher.Target) error {
	if almighty() {
		return nil
	}
	err := goal.Check()
	var lack *launcher.PrivilegeError
	if errors.As(err, &lack) {
		return fmt.Errorf("%w\n%s", lack, entryAdvice)
	}
	return err
}

// almighty reports whether we have what setns(2) asks for in the initial user namespace, and so in all.
func almighty() bool {
	const initial = "user:[4026531837]" // PROC_USER_INIT_INO of the kernel
	var user [32]byte
	n, err := unix.Readlink("/proc/self/ns/user", user[:])
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	const needed = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_SYS_CHROOT
	return err == nil && string(user[:n]) == initial && unix.Capget(&header, &caps[0]) == nil && caps[0].Effective&needed == needed
}

// entryAdvice is what to do about namespaces that may not be entered.
const entryAdvice = "this takes root, or one's own user namespace that owns it: see --user and --all"

// explain says what is missing to look at a process, or that it has ended or is hidden.
func (p *process) explain(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return noProcess(p.proc, p.pid)
	}
	if errors.Is(err, os.ErrNotExist) && p.isHidden() {
		return fmt.Errorf("--target %d: the process is hidden: %s is mounted with hidepid, proc(5), and we may not look at it", p.pid, p.proc)
	}
	var open *ns.Error
	if errors.Is(err, os.ErrPermission) && errors.As(err, &open) {
		err = open
	}
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w\nto look at a process takes its user's id, or CAP_SYS_PTRACE in its user namespace", err)
	}
	return err
}

// isHidden reports whether the process is there, and its /proc does not say so, as with hidepid in proc(5).
func (p *process) isHidden() bool {
	var st unix.Stat_t
	return !p.foreign && onProc(p.dir) == nil && unix.Fstatat(int(p.dir.Fd()), "stat", &st, 0) == unix.ENOENT &&
		unix.Kill(p.pid, 0) != unix.ESRCH
}
