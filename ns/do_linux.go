// SPDX-License-Identifier: Apache-2.0

package ns

import "runtime"

// Do runs f inside the namespaces hs, at most one a type, and returns when f does, with its error.
// All else stays as in the process: f runs on a goroutine of its own, locked to a thread of its own,
// and goroutines that f starts run outside. Inside f a further Do adds to the namespaces of this one.
//
// If a namespace cannot be entered, f does not run and the error is an *Error. A panic of f, or a
// call of runtime.Goexit as t.FailNow does, takes effect in the caller.
//
// The type decides what f may expect:
//   - net, uts, ipc, cgroup: f is inside.
//   - mnt: f is inside, with root and working directory at the root of the namespace, mount_namespaces(7).
//   - pid: f stays where it is; the processes that f itself starts are inside.
//   - user, time: the error is ErrMultithreaded, unless the namespace is the caller's own.
//
// The thread is never the main thread, whose namespaces /proc/self shows. Do ends it with f, if mnt
// was among the types, or if it could not go back to where it came from.
func Do(f func() error, hs ...*Handle) error {
	v, err := newVisit(hs)
	if err != nil {
		return err
	}
	return v.do(f)
}

// Go runs f inside the namespaces hs as Do does, but returns as soon as f is inside, or with the
// *Error that kept it out. As with a go statement, nobody waits for f, and a panic of f ends the
// program. The Handles may be closed once Go has returned.
func Go(f func(), hs ...*Handle) error {
	v, err := newVisit(hs)
	if err != nil {
		return err
	}
	if err := v.detach(); err != nil {
		return err
	}
	v.async = true
	var o outcome
	err = v.hold(0, func() {
		out := make(chan outcome, 1)
		go v.run(func() error { f(); return nil }, out)
		o = <-out
	})
	if err != nil {
		return err
	}
	return o.err
}

// outcome is how a visit ended: with err, with a panic of value panicked, or by runtime.Goexit.
type outcome struct {
	err      error
	panicked any
	goexit   bool
}

// deliver makes the outcome that of the calling goroutine.
func (o outcome) deliver() error {
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case o.goexit:
		runtime.Goexit()
	}
	return o.err
}
