// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"

	"github.com/airlock-ns/airlock/launcher/container"
)

// Error is a reference that leads to no container. Its Err is, or holds, a *NotFoundError, *NotRunningError, *RemoteError,
// *[container.AmbiguousError], or a *[container.Error] with container.ErrOtherProcess.
type Error struct {
	Op  string // "find", "resolve", "list"
	Ref string // what the caller gave
	Err error
}

func (e *Error) Error() string { return "engine: " + e.Op + " " + e.Ref + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Attempt is an engine that was asked in vain.
type Attempt struct {
	Engine   string // "docker"
	Endpoint string // path of its socket, "podman inspect", or "/proc"
	Err      error  // container.ErrNotFound, or why it could not be asked, with the errno
}

func (a *Attempt) Error() string { return a.Engine + " at " + a.Endpoint + ": " + a.Err.Error() }

func (a *Attempt) Unwrap() error { return a.Err }

// NotFoundError says that no engine knows the container, or none that does could be asked. errors.Is(err, container.ErrNotFound) holds,
// and it holds for what kept an engine from answering, such as fs.ErrPermission and context.DeadlineExceeded.
type NotFoundError struct {
	Tried []*Attempt // in the order in which they were
}

// Error has a line for each engine and what was wrong, with all the sockets of which that is true.
func (e *NotFoundError) Error() string {
	if len(e.Tried) == 1 {
		return e.Tried[0].Error()
	}
	type fault struct{ engine, why string }
	var faults []fault
	at := map[fault]string{}
	for _, a := range e.Tried {
		f := fault{a.Engine, a.Err.Error()}
		if at[f] == "" {
			faults = append(faults, f)
			at[f] = a.Endpoint
			continue
		}
		at[f] += ", " + a.Endpoint
	}
	text := "no such container; tried"
	for _, f := range faults {
		text += "\n  " + f.engine + " at " + at[f] + ": " + f.why
	}
	return text
}

func (e *NotFoundError) Unwrap() []error {
	errs := []error{container.ErrNotFound}
	for _, a := range e.Tried {
		errs = append(errs, a)
	}
	return errs
}

// NotRunningError says that the container has no process to enter, or none that goes on.
type NotRunningError struct {
	Container container.Info
	State     string // as the engine calls it: "exited", "created", "paused", …
}

func (e *NotRunningError) Error() string {
	return fmt.Sprintf("container %v does not run: it is %s", e.Container, e.State)
}

// RemoteError says that a variable names an engine that is not on this host, or not by a socket here.
type RemoteError struct {
	Variable, Value string // "DOCKER_HOST", "ssh://example.org"
}

func (e *RemoteError) Error() string {
	return fmt.Sprintf("%s=%s is no local socket: the pid that a remote engine gives is that of an unrelated process here; "+
		"run this on the engine's host, or unset %[1]s", e.Variable, e.Value)
}
