// SPDX-License-Identifier: Apache-2.0

package container

import (
	"errors"
	"fmt"
	"strings"
)

// Error says which operation failed on what.
type Error struct {
	Op  string // "open", "check", "find"
	Ref string // "pid 4711", or the id that the caller gave
	Err error
}

func (e *Error) Error() string { return "container: " + e.Op + " " + e.Ref + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

var (
	// ErrNotFound says that there is no such container, or that it does not run.
	ErrNotFound = errors.New("no such container")

	// ErrOtherProcess says that a process is not one of the container's.
	ErrOtherProcess = errors.New("the process is not the container's")
)

// AmbiguousError says that a reference means several containers.
type AmbiguousError struct {
	Ref        string
	Candidates []Info // two or more; the PID of those that an engine did not need to look at is 0
}

func (e *AmbiguousError) Error() string {
	var list []string
	for _, c := range e.Candidates {
		text := c.String()
		if c.Name != "" && c.Name != c.ID {
			text += " (" + c.ID[:min(len(c.ID), shortID)] + ")"
		}
		list = append(list, text)
	}
	return fmt.Sprintf("%q is ambiguous: %s", e.Ref, strings.Join(list, ", "))
}
