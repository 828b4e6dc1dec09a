// SPDX-License-Identifier: Apache-2.0

//go:build linux && !cgo

package cnsenter

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// relay starts the program as a child of the calling thread, and so in the PID namespace that this has joined, passes signals on, and ends as
// the child does. It returns only if the program cannot be executed.
func relay(path string, argv, env []string) error {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}})
	if err != nil {
		signal.Stop(signals)
		return err
	}
	_, err = unix.IoctlGetTermios(0, unix.TCGETS)
	terminal := err == nil
	for {
		s := (<-signals).(syscall.Signal)
		switch s {
		case unix.SIGCHLD:
			follow(pid)
		case unix.SIGURG: // the Go runtime's own
		case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP:
			if !terminal { // which sends them to the child as well
				unix.Kill(pid, s)
			}
		default:
			unix.Kill(pid, s)
		}
	}
}

// follow looks what has become of the child, and does the same.
func follow(pid int) {
	for {
		var status unix.WaitStatus
		n, err := unix.Wait4(pid, &status, unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED, nil)
		switch {
		case n <= 0 || err != nil:
			return
		case status.Stopped():
			unix.Kill(unix.Getpid(), unix.SIGSTOP)
		case status.Exited():
			os.Exit(status.ExitStatus())
		case status.Signaled():
			die(status.Signal())
		}
	}
}

// die ends the process by a signal. Of those that a fault of its own would raise the Go runtime prints a report, so that a status must do.
func die(s syscall.Signal) {
	switch s {
	case unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGKILL, unix.SIGPIPE, unix.SIGALRM, unix.SIGUSR1, unix.SIGUSR2:
		signal.Reset(s)
		unix.Kill(unix.Getpid(), s)
		select {} // it is on its way
	}
	os.Exit(128 + int(s))
}
