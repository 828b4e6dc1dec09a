// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"errors"
	"fmt"
)

// Stage says what was being done when a call failed.
type Stage string

// The stages of a call, in their order.
const (
	StageRegister Stage = "register" // at package initialisation; a panic, not a returned error
	StageCall     Stage = "call"     // in the caller, before anything was started
	StageParam    Stage = "param"    // encoding or decoding the parameter
	StageStart    Stage = "start"    // starting the worker, the Starter's steps included
	StageRun      Stage = "run"      // from the start of the worker to its answer
	StageResult   Stage = "result"   // encoding or decoding the result
)

// Causes that an [Error] can wrap, for errors.Is.
var (
	// ErrNotInit means that the caller has not called [Init]. A copy of such a program would run main again, and so
	// copy itself for ever; hence nothing was started.
	ErrNotInit = errors.New("Init has not been called in this process")
	// ErrNoImage means that the program cannot find its own file to start a copy of it: /proc is not mounted, or is not
	// the kernel's. It is so in a worker whose target has no procfs; nothing was started.
	ErrNoImage = errors.New("no file of this program can be had")
	// ErrNotRegistered means that the Func is the zero one, or in the worker that no function has this name: it was
	// registered under a condition that does not hold in the worker.
	ErrNotRegistered = errors.New("no such function is registered")
	// ErrDuplicate is in the panic of [Register] when the name is taken.
	ErrDuplicate = errors.New("this name is registered already")
	// ErrTooLate is in the panic of [Register] after Init: the worker would never get as far as that.
	ErrTooLate = errors.New("registered after Init")
	// ErrPanic means that the function panicked; Error.Stack has the stack.
	ErrPanic = errors.New("panic")
	// ErrGoexit means that the function ended its goroutine by runtime.Goexit, as t.FailNow does.
	ErrGoexit = errors.New("the function called runtime.Goexit")
	// ErrNoResult means that the worker ended, or closed its socket, before the function returned. The error also
	// wraps an *exec.ExitError that says how the process ended.
	ErrNoResult = errors.New("the worker ended without a result")
	// ErrStuck means that the worker was killed but had not died after [Process].Grace, as in a frozen cgroup. It is
	// reaped in the background once it does.
	ErrStuck = errors.New("the worker was killed but does not die")
	// ErrProtocol means that something else than this package wrote to the socket.
	ErrProtocol = errors.New("malformed frame")
	// ErrNotUTF8 means that a string in a parameter or a result is not valid UTF-8, and would not arrive as it is.
	ErrNotUTF8 = errors.New("a string is not valid UTF-8")
	// ErrClosed means that the Pool has been closed.
	ErrClosed = errors.New("the pool is closed")
	// ErrTooLarge means that a parameter, a result or the standard error is above its limit.
	ErrTooLarge = errors.New("above the limit")
)

// Error is the error of every call. Unwrap gives the cause, with the errno at the bottom.
type Error struct {
	Func  string // the name that the function is registered under, "" for the zero Func
	Stage Stage  // what was being done
	Stack string // the worker's stack where the function panicked, else ""
	Err   error  // the cause, never nil
}

func (e *Error) Error() string {
	name := e.Func
	if name == "" {
		name = "(zero Func)"
	}
	return "reexec: " + name + ": " + string(e.Stage) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func tooLarge(n uint64, limit int64) error {
	return fmt.Errorf("%d bytes: %w of %d", n, ErrTooLarge, limit)
}

// cancelled gives the error of a context that is done: errors.Is holds both for ctx.Err() and for the cause.
func cancelled(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
