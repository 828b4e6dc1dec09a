// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Replace replaces this process, execve(2), by a copy of itself that takes the steps and then executes the program of the Exec step that
// ends the plan, with these arguments and this environment. Of the descriptors only 0, 1 and 2 stay open. Behind a Fork the process
// is the relay, and ends as the program does.
//
// It returns only if it fails before that, with an *Error. When a step fails there is nobody to return to: the error is
// printed on standard error, after name and a colon, and below it what advise says of the step, unless that is empty; the exit
// status is that of env(1): 127 if the program was not found, 126 if it could not be executed, and else 1.
func (p Plan) Replace(name string, argv, env []string, advise func(Step) string) error {
	if err := p.check(); err != nil {
		return err
	}
	if len(p) == 0 || p[len(p)-1].op != OpExec {
		return &Error{Step: -1, Op: OpStart, Err: errors.New("a plan to replace the process ends with Exec")}
	}
	for i, s := range p {
		if s.op == OpAwait || s.op == OpDieWithCaller || s.op == OpUnshare && s.spec.Types&syscall.CLONE_NEWUSER != 0 {
			return &Error{Step: i, Op: s.op, Err: errors.New("no caller would be left for it: use Start")}
		}
	}
	if err := checkProcfs(); err != nil {
		return &Error{Step: -1, Op: OpStart, Path: self, Err: err}
	}
	message, files, err := p.encode(name, advise)
	if err != nil {
		return err
	}
	path := self
	if image := p.image(); image != nil {
		path = descriptorPath(int(image.Fd()))
	}
	// Nothing that is open now, by whomever, outlives the execution: from here on only the plan's socket is not close-on-exec.
	ours, theirs, err := newLine()
	if err != nil {
		return &Error{Step: -1, Op: OpStart, Path: "socket", Err: err}
	}
	err = ours.send(message, files)
	ours.close()
	if err == nil {
		err = keepOnly(theirs)
	}
	if err != nil {
		unix.Close(theirs)
		return &Error{Step: -1, Op: OpStart, Path: "plan", Err: err}
	}
	marked := make([]string, 0, len(env)+1)
	for _, v := range env {
		if !strings.HasPrefix(v, variable+"=") {
			marked = append(marked, v)
		}
	}
	err = syscall.Exec(path, argv, append(marked, variable+"="+strconv.Itoa(theirs)))
	unix.Close(theirs)
	return &Error{Step: -1, Op: OpStart, Path: self, Err: err}
}

// keepOnly lets execve close all descriptors from 3 on but fd.
func keepOnly(fd int) error {
	if err := closeOnExec(3); err != nil {
		return err
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0)
	return os.NewSyscallError("fcntl", err)
}
