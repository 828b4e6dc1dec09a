// SPDX-License-Identifier: Apache-2.0

//go:build linux

package target

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// little is a container that is no more than a process in namespaces of its own: a copy of this program.
type little struct {
	*exec.Cmd
	lifeline io.Closer
}

// The names by which a copy of this program knows that it is to be a process of the little container.
const (
	initName      = "little-init"
	heartbeatName = "heartbeat"
)

// start makes the container: new user, mount, pid, net, uts and ipc namespaces, in which the caller's ids are root's. It lives until
// it is closed, or we end.
func start() (*little, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{initName}
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET |
			syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a target in new namespaces (are unprivileged user namespaces allowed here?): %w", err)
	}
	l := &little{cmd, lifeline}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		l.close()
		return nil, fmt.Errorf("the target did not get ready: %w", err)
	}
	return l, nil
}

// close ends the container, and waits for it.
func (l *little) close() error {
	l.lifeline.Close()
	return l.Wait()
}
