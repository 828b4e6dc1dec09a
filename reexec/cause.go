// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
)

// sentinel is an error that keeps its identity across the process border, by its name.
type sentinel struct {
	name string
	err  error
}

// sentinels lists those of the standard library, of this package and of RegisterError. It is made when an error is to cross.
var sentinels = sync.OnceValue(func() []sentinel {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	return append([]sentinel{
		{"fs.ErrInvalid", fs.ErrInvalid},
		{"fs.ErrPermission", fs.ErrPermission},
		{"fs.ErrExist", fs.ErrExist},
		{"fs.ErrNotExist", fs.ErrNotExist},
		{"fs.ErrClosed", fs.ErrClosed},
		{"io.EOF", io.EOF},
		{"io.ErrUnexpectedEOF", io.ErrUnexpectedEOF},
		{"io.ErrClosedPipe", io.ErrClosedPipe},
		{"io.ErrNoProgress", io.ErrNoProgress},
		{"io.ErrShortBuffer", io.ErrShortBuffer},
		{"io.ErrShortWrite", io.ErrShortWrite},
		{"context.Canceled", context.Canceled},
		{"context.DeadlineExceeded", context.DeadlineExceeded},
		{"os.ErrDeadlineExceeded", os.ErrDeadlineExceeded},
		{"os.ErrNoDeadline", os.ErrNoDeadline},
		{"os.ErrProcessDone", os.ErrProcessDone},
		{"exec.ErrNotFound", exec.ErrNotFound},
		{"exec.ErrDot", exec.ErrDot},
		{"exec.ErrWaitDelay", exec.ErrWaitDelay},
		{"errors.ErrUnsupported", errors.ErrUnsupported},
		{"reexec.ErrNotInit", ErrNotInit},
		{"reexec.ErrNoImage", ErrNoImage},
		{"reexec.ErrNotRegistered", ErrNotRegistered},
		{"reexec.ErrPanic", ErrPanic},
		{"reexec.ErrGoexit", ErrGoexit},
		{"reexec.ErrNoResult", ErrNoResult},
		{"reexec.ErrStuck", ErrStuck},
		{"reexec.ErrProtocol", ErrProtocol},
		{"reexec.ErrNotUTF8", ErrNotUTF8},
		{"reexec.ErrTooLarge", ErrTooLarge},
	}, registry.errors...)
})

// RegisterError gives err a name, so that errors.Is(e, err) holds in the caller for what did in the worker. Call it from
// package initialisation. It panics with an *Error (ErrDuplicate, ErrTooLate) where the name is taken or Init has been called.
func RegisterError(name string, err error) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	taken := slices.ContainsFunc(registry.errors, func(s sentinel) bool { return s.name == name })
	registry.refuse(name, taken)
	registry.errors = append(registry.errors, sentinel{name, err})
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
	for _, s := range sentinels() {
		if err == s.err || is != nil && is.Is(s.err) {
			names = append(names, s.name)
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
		for _, s := range sentinels() {
			if s.name != name {
				continue
			}
			if s.err.Error() == c.Msg && len(c.Is) == 1 && len(wraps) == 0 {
				return s.err
			}
			wraps = append(wraps, s.err)
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
