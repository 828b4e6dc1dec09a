// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// sentinels are the errors that keep their identity across the process border, by name.
var sentinels = map[string]error{
	"fs.ErrInvalid":            fs.ErrInvalid,
	"fs.ErrPermission":         fs.ErrPermission,
	"fs.ErrExist":              fs.ErrExist,
	"fs.ErrNotExist":           fs.ErrNotExist,
	"fs.ErrClosed":             fs.ErrClosed,
	"io.EOF":                   io.EOF,
	"io.ErrUnexpectedEOF":      io.ErrUnexpectedEOF,
	"io.ErrClosedPipe":         io.ErrClosedPipe,
	"io.ErrNoProgress":         io.ErrNoProgress,
	"io.ErrShortBuffer":        io.ErrShortBuffer,
	"io.ErrShortWrite":         io.ErrShortWrite,
	"context.Canceled":         context.Canceled,
	"context.DeadlineExceeded": context.DeadlineExceeded,
	"os.ErrDeadlineExceeded":   os.ErrDeadlineExceeded,
	"os.ErrNoDeadline":         os.ErrNoDeadline,
	"os.ErrProcessDone":        os.ErrProcessDone,
	"exec.ErrNotFound":         exec.ErrNotFound,
	"exec.ErrDot":              exec.ErrDot,
	"exec.ErrWaitDelay":        exec.ErrWaitDelay,
	"errors.ErrUnsupported":    errors.ErrUnsupported,
	"reexec.ErrNotInit":        ErrNotInit,
	"reexec.ErrNotRegistered":  ErrNotRegistered,
	"reexec.ErrPanic":          ErrPanic,
	"reexec.ErrGoexit":         ErrGoexit,
	"reexec.ErrNoResult":       ErrNoResult,
	"reexec.ErrStuck":          ErrStuck,
	"reexec.ErrProtocol":       ErrProtocol,
	"reexec.ErrNotUTF8":        ErrNotUTF8,
	"reexec.ErrTooLarge":       ErrTooLarge,
}

// RegisterError makes errors.Is(err, sentinel) hold in the caller for an error of the worker that is the sentinel. Call it
// from package initialisation, under a name that no other error has; it panics with an *Error where the name is taken, or
// after Init.
func RegisterError(name string, sentinel error) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if err := registry.refusal(); err != nil {
		panic(&Error{Func: name, Stage: StageRegister, Err: err})
	}
	if _, taken := sentinels[name]; taken {
		panic(&Error{Func: name, Stage: StageRegister, Err: ErrDuplicate})
	}
	sentinels[name] = sentinel
}

// cause is one error of a tree of wrapped errors, as it crosses the border.
type cause struct {
	Msg   string   `json:"msg,omitempty"`
	Type  string   `json:"type,omitempty"` // errno, path, link, syscall, exec, call; else only the message is left
	Errno uint64   `json:"errno,omitempty"`
	Is    []string `json:"is,omitempty"` // names in sentinels that this error says it is
	Op    string   `json:"op,omitempty"` // also a syscall's, a program's or a function's name
	Path  string   `json:"path,omitempty"`
	New   string   `json:"new,omitempty"`
	Stack string   `json:"stack,omitempty"`
	Wraps []cause  `json:"wraps,omitempty"`
}

// maxCauses bounds the depth of a tree: an error may wrap itself.
const maxCauses = 64

// encodeCause takes the tree below err apart. It calls methods of foreign errors, which may panic.
func encodeCause(err error, depth int) cause {
	c := cause{}
	switch e := err.(type) {
	case syscall.Errno:
		return cause{Type: "errno", Errno: uint64(e)}
	case *fs.PathError:
		c = cause{Type: "path", Op: e.Op, Path: e.Path}
	case *os.LinkError:
		c = cause{Type: "link", Op: e.Op, Path: e.Old, New: e.New}
	case *os.SyscallError:
		c = cause{Type: "syscall", Op: e.Syscall}
	case *exec.Error:
		c = cause{Type: "exec", Op: e.Name}
	case *Error:
		c = cause{Type: "call", Op: e.Func, Path: string(e.Stage), Stack: e.Stack}
	default:
		c.Is = identities(err)
	}
	c.Msg = err.Error()
	if depth == maxCauses {
		return cause{Msg: c.Msg}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			c.Wraps = []cause{encodeCause(inner, depth+1)}
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if inner != nil {
				c.Wraps = append(c.Wraps, encodeCause(inner, depth+1))
			}
		}
	}
	return c
}

// identities lists the sentinels that err itself is, whatever it wraps.
func identities(err error) (names []string) {
	is, _ := err.(interface{ Is(error) bool })
	for name, s := range sentinels {
		if err == s || is != nil && is.Is(s) {
			names = append(names, name)
		}
	}
	return names
}

// err puts a tree together again.
func (c cause) err() error {
	var wraps []error
	for _, w := range c.Wraps {
		wraps = append(wraps, w.err())
	}
	if c.Type == "errno" {
		return syscall.Errno(c.Errno)
	}
	if len(wraps) == 1 {
		switch c.Type {
		case "path":
			return &fs.PathError{Op: c.Op, Path: c.Path, Err: wraps[0]}
		case "link":
			return &os.LinkError{Op: c.Op, Old: c.Path, New: c.New, Err: wraps[0]}
		case "syscall":
			return &os.SyscallError{Syscall: c.Op, Err: wraps[0]}
		case "exec":
			return &exec.Error{Name: c.Op, Err: wraps[0]}
		case "call":
			return &Error{Func: c.Op, Stage: Stage(c.Path), Stack: c.Stack, Err: wraps[0]}
		}
	}
	for _, name := range c.Is {
		s, known := sentinels[name]
		if known && s.Error() == c.Msg && len(wraps) == 0 && len(c.Is) == 1 {
			return s
		}
		if known {
			wraps = append(wraps, s)
		}
	}
	return &remoteError{msg: c.Msg, wraps: wraps}
}

// remoteError stands for an error whose type stayed in the worker.
type remoteError struct {
	msg   string
	wraps []error
}

func (e *remoteError) Error() string   { return e.msg }
func (e *remoteError) Unwrap() []error { return e.wraps }

// failure is the payload of a fail frame.
type failure struct {
	Stage Stage  `json:"stage"`
	Stack string `json:"stack,omitempty"`
	Err   cause  `json:"err"`
}
