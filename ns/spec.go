// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"sync"
	"time"
)

// Spec says what New creates. The zero Spec creates nothing.
type Spec struct {
	// Types are the types of the new namespaces. If User is among them it owns the others, and then
	// no privilege is needed, user_namespaces(7).
	Types Type

	// UIDMap and GIDMap are the maps of the new user namespace. None: the caller's effective id
	// becomes 0. A caller without privilege may map only that id, and loses setgroups(2) inside.
	UIDMap, GIDMap []IDMap

	// DenySetgroups has setgroups(2) refused in the new user namespace also where its creator might allow it.
	DenySetgroups bool

	// Monotonic and Boottime are what the new time namespace adds to CLOCK_MONOTONIC and
	// CLOCK_BOOTTIME, time_namespaces(7). They may be negative, but no clock may show less than 0.
	Monotonic, Boottime time.Duration
}

// IDMap maps Size ids from Inside on, in a new user namespace, to as many from Outside on, as the
// caller's user namespace knows them, user_namespaces(7).
type IDMap struct{ Inside, Outside, Size int }

// Set is a set of new namespaces, one a type. Its zero value is empty and closed.
type Set struct {
	handles []*Handle
	keeper  *keeper // the first process of the pid namespace, if there is one
	close   sync.Once
	err     error
}

// Handle returns the Handle of the namespace of type t, or nil. It is the Set's own, and closed with it.
func (s *Set) Handle(t Type) *Handle {
	for _, h := range s.handles {
		if h.typ == t {
			return h
		}
	}
	return nil
}

// Handles returns the Handles of the set in the order of Type.Each. They are the Set's own.
func (s *Set) Handles() []*Handle { return append([]*Handle(nil), s.handles...) }

// Init returns the id of the first process of the set's pid namespace, as the caller's pid namespace
// knows it, or 0 if the set has none. The process does nothing but live, and reap orphans.
func (s *Set) Init() int {
	if s.keeper == nil {
		return 0
	}
	return s.keeper.process.Pid
}

// Close closes the Handles. What else keeps a namespace alive, a process, a descriptor or a pin, goes
// on to do so; only a pid namespace ends, for it cannot be without its first process: all its
// processes are killed, pid_namespaces(7). Close does not wait until they are gone, for that may be
// up to their parents outside, which have to reap them. Closing twice does nothing more.
func (s *Set) Close() error {
	s.close.Do(func() {
		for _, h := range s.handles {
			_ = h.Close()
		}
		if s.keeper != nil {
			s.err = s.keeper.end()
			go s.keeper.reap()
		}
	})
	return s.err
}
