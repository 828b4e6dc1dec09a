// SPDX-License-Identifier: Apache-2.0

package cnsenter

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"github.com/airlock-ns/airlock/ns"
)

// ErrNotLinked is what Start returns in a program without the constructor: one that was built with CGO_ENABLED=0, or for another
// system than Linux. errors.Is(err, errors.ErrUnsupported) holds.
var ErrNotLinked = fmt.Errorf("the constructor is not part of this program: build it for Linux with CGO_ENABLED=1 and a C compiler: %w",
	errors.ErrUnsupported)

// ErrDeadPIDNamespace tells that the init process of the joined PID namespace has ended: no process can be born there any more,
// pid_namespaces(7).
var ErrDeadPIDNamespace = errors.New("the init process of the PID namespace has ended")

// ErrNoReport tells that the started program ended, or went on, without having said how its plan ended: it does not link this
// package, or was killed.
var ErrNoReport = errors.New("no report from the started program")

// ErrNoImage tells that the program cannot find its own file to start a copy of it: /proc is not mounted, or is not the kernel's.
var ErrNoImage = errors.New("no file of this program can be had")

// Error is a start that failed. Nothing of the started program is left, and its main function was not reached.
type Error struct {
	Step  int     // index of the step in the plan; -1 if it was none of them
	Op    Op      // what failed
	Types ns.Type // the namespaces that could not be joined or made
	Path  string  // the file, directory, program or id that the step is about
	Err   error   // why; an errno from the kernel can be had with errors.As
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("cnsenter: ")
	if e.Step >= 0 {
		fmt.Fprintf(&b, "step %d: ", e.Step)
	}
	b.WriteString(e.Op.String())
	if e.Types != 0 {
		fmt.Fprintf(&b, " %v", e.Types)
	}
	if e.Types != 0 && e.Path != "" {
		b.WriteString(" of")
	}
	if e.Path != "" {
		b.WriteString(" " + e.Path)
	}
	return b.String() + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Is tells what an errno of the kernel's means here: ErrDeadPIDNamespace for the ENOMEM that fork(2) then gives, and
// exec.ErrNotFound for the ENOENT of a program.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrDeadPIDNamespace:
		return e.Op == OpFork && errors.Is(e.Err, syscall.ENOMEM)
	case exec.ErrNotFound:
		return e.Op == OpExec && errors.Is(e.Err, syscall.ENOENT)
	}
	return false
}

// label is the text of an Error for the step, with "@" in the place of namespace types.
func (s Step) label() string {
	label := s.op.String()
	if s.Types() != 0 {
		label += " @"
	}
	if object := s.object(); object != "" && s.Types() != 0 {
		label += " of " + object
	} else if object != "" {
		label += " " + object
	}
	return label
}
