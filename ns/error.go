// SPDX-License-Identifier: Apache-2.0

package ns

import "errors"

// Error says which operation failed on which namespace. Its Err holds the errno, where a system call
// failed, and one of the sentinels below, where one fits: errors.Is finds both.
type Error struct {
	Op  string // "open", "enter", "find the owner of", "pin", …
	Ref string // what the caller gave: a path, "net:[4026531840]", or "pid 4711"
	Err error
}

func (e *Error) Error() string {
	if e.Ref == "" {
		return "ns: " + e.Op + ": " + e.Err.Error()
	}
	return "ns: " + e.Op + " " + e.Ref + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

var (
	// ErrNotNamespace says that a file is there, and is not a namespace.
	ErrNotNamespace = errors.New("not a namespace")

	// ErrNotOneType says that a function that works on one namespace type was given none or several.
	ErrNotOneType = errors.New("not exactly one namespace type")

	// ErrNoOwner says that the owning user namespace lies outside the caller's user namespace, or
	// that there is none: the initial user namespace has no owner.
	ErrNoOwner = errors.New("no owner within reach")

	// ErrNoParent says that the parent lies outside the caller's own pid or user namespace, or that
	// there is none: only pid and user namespaces have parents, and the initial ones have none.
	ErrNoParent = errors.New("no parent within reach")

	// ErrMultithreaded says that a user or time namespace was to be entered in-process. The kernel
	// lets only a single-threaded process do that, setns(2), and a Go program never is one.
	// Package cnsenter enters them, in a copy of the program.
	ErrMultithreaded = errors.New("cannot be entered by a thread of a multi-threaded process")

	// ErrStuck says that Enter failed half-way and that there was no way back for all of it: the calling
	// goroutine stays locked to its thread, and should end.
	ErrStuck = errors.New("the thread could not go back")
)
