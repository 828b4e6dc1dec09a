// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// patience is how long a started program may take over its plan. It is longer than the constructor's own belt, and only met by
// a program that does not link this package and does not end.
const patience = 15 * time.Second

// Start starts cmd and waits until its program has taken every step. The program must link this package: it is this very
// program, /proc/self/exe, unless it is known to. With an Exec step, Start returns once the program to execute is running.
//
// On success the caller goes on as after cmd.Start. Signals to cmd.Process, and its exit status, are those of the program also
// when a relay stands between, see Fork. On failure nothing is left to wait for: the error is an *Error, and the
// process has been reaped.
//
// A cmd.Path of /proc/self/exe is started by a mount of this program's file that is read-only, or from a copy in memory, see [Seal]: so no
// root of a container can write to it. Where /proc is not the kernel's, as in a worker whose target has none, nothing is started: the
// error is ErrNoImage.
//
// Start adds descriptors to cmd.ExtraFiles, which must be the last, and a variable to cmd.Env. The program sees none of them: the
// descriptors that it has are 0, 1, 2 and those that ExtraFiles held before. Of the process attributes, the signal mask is empty,
// SIGCHLD and SIGPIPE have their default action, and the process is not dumpable, prctl(2).
//
// Start blocks for as long as the start takes, about a millisecond, and at most 15 seconds besides what an Await takes. It moves no thread
// of the caller.
func (p Plan) Start(cmd *exec.Cmd) error {
	if err := p.check(); err != nil {
		return err
	}
	if cmd.Path == self {
		if err := checkProcfs(); err != nil {
			return &Error{Step: -1, Op: OpStart, Path: self, Err: err}
		}
	}
	message, files, err := p.encode("", nil)
	if err != nil {
		return err
	}
	ours, far, err := newLine()
	if err != nil {
		return &Error{Step: -1, Op: OpStart, Path: "socket", Err: err}
	}
	theirs := os.NewFile(uintptr(far), "plan")
	err = ours.send(message, files)
	if err == nil && p.has(OpAwait) {
		err = ours.askForSenders()
	}
	if err != nil {
		ours.close()
		theirs.Close()
		return &Error{Step: -1, Op: OpStart, Path: "plan", Err: err}
	}

	path := cmd.Path
	// The constructor closes every descriptor after the socket.
	cmd.ExtraFiles = append(slices.Clip(cmd.ExtraFiles), theirs)
	cmd.Env = append(cmd.Environ(), variable+"="+strconv.Itoa(2+len(cmd.ExtraFiles)))
	if cmd.Path == self {
		if image := p.image(); image != nil {
			// Given as one of its files, the image has this number in the child when that executes it.
			cmd.ExtraFiles = append(cmd.ExtraFiles, image)
			cmd.Path = descriptorPath(2 + len(cmd.ExtraFiles))
		}
	}
	err = cmd.Start()
	cmd.Path = path
	theirs.Close()
	if err != nil {
		ours.close()
		if e := (*os.PathError)(nil); errors.As(err, &e) {
			err = e.Err // its path may be a descriptor's
		}
		return &Error{Step: -1, Op: OpStart, Path: path, Err: err}
	}
	if err := p.await(ours, cmd); err != nil {
		ours.close()
		return err
	}
	if p.has(OpFork) {
		ours.hold()
	} else {
		ours.close()
	}
	return nil
}

// await reads the reports of the started program. If it fails, it has ended and reaped the program.
func (p Plan) await(ours *line, cmd *exec.Cmd) error {
	deadline := time.Now().Add(patience)
	executes := p.has(OpExec)
	took := false // every step
	for {
		var message [reportSize]byte
		n, sender, err := ours.receive(message[:], deadline)
		if errors.Is(err, io.EOF) && took {
			return nil // its end was closed by execve
		}
		if err != nil {
			return p.gone(cmd, err)
		}
		r, ok := p.decode(message[:n])
		switch {
		case !ok:
			return p.gone(cmd, syscall.EBADMSG)
		case r.outcome == done && !executes, r.outcome == executed && took:
			return nil
		case r.outcome == done:
			took = true
		case r.outcome == unmapped:
			if err := writeMaps(cmd.Process.Pid, p[r.step].spec); err != nil {
				reap(cmd)
				return &Error{Step: r.step, Op: r.op, Types: p[r.step].Types(), Err: err}
			}
			ours.answer()
		case r.outcome == awaiting:
			if err := p[r.step].meanwhile(sender); err != nil {
				ours.shut() // which ends who waits, also behind a relay
				reap(cmd)
				return &Error{Step: r.step, Op: r.op, Err: err}
			}
			deadline = time.Now().Add(patience)
			ours.answer()
		case r.outcome == failed:
			reap(cmd)
			e := &Error{Step: r.step, Op: r.op, Types: r.left, Err: syscall.Errno(r.errno)}
			if r.step >= 0 {
				e.Path = p[r.step].object()
			}
			if r.op == OpUnshare {
				e.Types = p[r.step].Types()
			}
			return e
		}
	}
}

// gone is the error of a program that did not report: cause tells what was read instead.
func (p Plan) gone(cmd *exec.Cmd, cause error) error {
	e := &Error{Step: -1, Op: OpReport, Path: cmd.Path}
	status := reap(cmd)
	switch {
	case !errors.Is(cause, io.EOF):
		e.Err = fmt.Errorf("%w: %w", ErrNoReport, cause)
	case status == nil:
		e.Err = fmt.Errorf("%w: it ended with status 0", ErrNoReport)
	default:
		e.Err = fmt.Errorf("%w: %w", ErrNoReport, status)
	}
	return e
}

// reap ends the process, if it has not ended, and returns what cmd.Wait does.
func reap(cmd *exec.Cmd) error {
	cmd.Process.Kill()
	return cmd.Wait()
}
