// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// targetName is how this program is called when it is to be the target.
const targetName = "hello-target"

// startTarget starts a process in new user, mount, pid, net and uts namespaces, with a hostname and a file of its own.
// It lives until stop is called, or we end.
func startTarget() (pid int, stop func(), err error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{targetName}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, fmt.Errorf("start a target in new namespaces (are unprivileged user namespaces allowed here?): %w", err)
	}
	stop = func() {
		lifeline.Close()
		cmd.Wait()
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		stop()
		return 0, nil, fmt.Errorf("the target did not get ready: %w", err)
	}
	return cmd.Process.Pid, stop, nil
}

// The copy that is the target never gets as far as main.
func init() {
	if os.Args[0] != targetName {
		return
	}
	if err := furnish(); err != nil {
		fmt.Fprintln(os.Stderr, targetName+":", err)
		os.Exit(1)
	}
	os.Stdout.WriteString("\n")
	io.Copy(io.Discard, os.Stdin) // until its other end is closed
	os.Exit(0)
}

func furnish() error {
	if err := syscall.Sethostname([]byte("inside")); err != nil {
		return fmt.Errorf("sethostname: %w", err)
	}
	if err := syscall.Mount("hello", "/tmp", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount a tmpfs on /tmp: %w", err)
	}
	return os.WriteFile("/tmp/hello", []byte("only this mount namespace has this file"), 0o644)
}
