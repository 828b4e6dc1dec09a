// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// signals tells of all signals that can be caught, but not of SIGCHLD, which is about the relay, SIGURG and SIGPROF, which the Go runtime
// takes for its own, and SIGTTIN and SIGTTOU: see stayInBackground.
func signals() <-chan os.Signal {
	told := make(chan os.Signal, 64)
	for number := syscall.Signal(1); number <= 64; number++ {
		switch number {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGPROF, unix.SIGTTIN, unix.SIGTTOU:
		case 32, 33, 34: // of the libc
		default:
			signal.Notify(told, number)
		}
	}
	return told
}

// stayInBackground lets this process go on in the background, where a terminal would stop it: it gets EIO for what it reads, and may set
// the terminal, termios(3). A program that is started later ignores the signals, too.
func stayInBackground() { signal.Ignore(unix.SIGTTIN, unix.SIGTTOU) }

// byTerminal reports whether a terminal has most likely sent the signal, which it then has to the whole process group: who sends a signal
// cannot be known in Go. Only a process group in the foreground gets any.
func byTerminal(s os.Signal) bool {
	switch s {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGWINCH:
	default:
		return false
	}
	terminal, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(terminal)
	return inForeground(terminal)
}

// inForeground reports whether this process is in the foreground process group of the terminal, tcgetpgrp(3).
func inForeground(terminal int) bool {
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// orphaned reports whether nobody would continue the process group if it stopped: it is that of the session's leader, and no job of a
// shell's. The kernel does not stop it by SIGTSTP then, setpgid(2).
func orphaned() bool {
	session, err := unix.Getsid(0)
	return err == nil && session == unix.Getpgrp()
}

// action is the struct sigaction of the kernel, or longer; the zero action is the default one.
type action [4]uint64

// setAction changes what a signal does, rt_sigaction(2), and returns what it did before. Package os/signal cannot make the default action
// of one that it has caught that of the kernel again.
func setAction(s syscall.Signal, to action) (before action) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&to)), uintptr(unsafe.Pointer(&before)), 8, 0, 0)
	return before
}

// endLike ends this process with the exit status, or by the signal, of another one.
func endLike(state unix.WaitStatus) {
	if !state.Signaled() {
		os.Exit(state.ExitStatus())
	}
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // the core dump is the other's
	setAction(state.Signal(), action{})
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil)
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), state.Signal())
	os.Exit(128 + int(state.Signal())) // the first process of a PID namespace, pid_namespaces(7)
}
