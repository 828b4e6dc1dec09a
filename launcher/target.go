// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
)

// Target is a set of namespaces to start programs in. Its methods may be called at the same time from any goroutine.
type Target struct {
	// PreserveCredentials keeps uid, gid and supplementary groups on entering a user namespace. False: both ids become 0
	// there, and the groups are dropped unless the namespace denies it.
	PreserveCredentials bool

	pidfd   *os.File // of the process whose namespaces to join, or nil
	pid     int      // its number
	asked   ns.Type  // which of its namespaces
	handles []*ns.Handle
	owned   bool // the handles are closed with the Target
}

// Handles returns the Target of these namespaces, at most one a type. The Handles stay the caller's, and must be open at every
// Start.
func Handles(hs ...*ns.Handle) *Target {
	return &Target{handles: slices.Clone(hs)}
}

// With returns a Target that has these namespaces in place of t's of the same types, or in addition. It shares t's descriptors: close t when
// both have served. The Handles stay the caller's.
func (t *Target) With(hs ...*ns.Handle) *Target {
	with := Target{PreserveCredentials: t.PreserveCredentials, pidfd: t.pidfd, pid: t.pid, asked: t.asked}
	with.handles = slices.DeleteFunc(slices.Clone(t.handles), func(old *ns.Handle) bool {
		return slices.ContainsFunc(hs, func(h *ns.Handle) bool { return h.Type() == old.Type() })
	})
	for _, h := range hs {
		with.asked &^= h.Type()
	}
	with.handles = append(with.handles, hs...)
	return &with
}

// Parse returns the Target that ref names: the namespaces t of a process by its pid in decimal, or by its path one namespace, whose
// type must then be in t. The caller closes it.
func Parse(_ context.Context, ref string, t ns.Type) (*Target, error) {
	if pid, err := strconv.Atoi(ref); err == nil {
		return PID(pid, t)
	}
	if !strings.Contains(ref, "/") {
		return nil, &Error{Op: "parse", Ref: strconv.Quote(ref), Err: errors.New("neither a pid nor a path")}
	}
	h, err := ns.Open(ref)
	if err != nil {
		return nil, &Error{Op: "parse", Ref: ref, Err: err}
	}
	if !t.Has(h.Type()) {
		h.Close()
		return nil, &Error{Op: "parse", Ref: ref, Err: fmt.Errorf("a namespace of type %v, not %v", h.Type(), t)}
	}
	return &Target{handles: []*ns.Handle{h}, owned: true}, nil
}

// Types returns the types of the namespaces that a Start by the calling thread joins: of a process those that it does not share with
// that thread, and none when it has ended.
func (t *Target) Types() ns.Type {
	types, err := t.foreign()
	if err != nil {
		types = 0
	}
	return types | t.held()
}

// foreign returns the types of the process's namespaces to join: those that the calling thread is not in, now.
func (t *Target) foreign() (ns.Type, error) {
	if t.asked == 0 {
		return 0, nil
	}
	types, err := ns.Foreign(t.pidfd, t.pid, t.asked)
	if err != nil {
		err = &Error{Op: "open", Ref: t.pidfd.Name(), Err: err}
	}
	return types, err
}

// held returns the types of the Handles.
func (t *Target) held() (types ns.Type) {
	for _, h := range t.handles {
		types |= h.Type()
	}
	return types
}

// Start starts cmd inside the namespaces, on the terms of [cnsenter.Plan.Start]: it must be a copy of this program. If all
// namespaces are the caller's own it is simply started. Otherwise it has no controlling terminal: if the caller has one it gets a session
// of its own, setsid(2), unless cmd.SysProcAttr says something of sessions and process groups.
//
// Where the caller may enter the PID namespace, the process is a direct child, born inside: a thread that has entered it starts it.
// Otherwise a relay stands between, [cnsenter.Fork].
func (t *Target) Start(cmd *exec.Cmd) error {
	foreign, err := t.foreign()
	if err != nil {
		return err
	}
	if (foreign | t.held()).Has(ns.PID) {
		if started, err := t.startDirectly(cmd, foreign); started {
			return err
		}
	}
	plan, err := t.plan(foreign, ns.All)
	if err != nil {
		return err
	}
	return start(plan, cmd)
}

func start(plan cnsenter.Plan, cmd *exec.Cmd) error {
	if len(plan) == 0 {
		return cmd.Start()
	}
	if leavesTerminal(cmd.SysProcAttr) {
		plan = append(cnsenter.Plan{cnsenter.Setsid()}, plan...)
	}
	return plan.Start(cmd)
}

// startDirectly reports whether it came as far as to start the process.
func (t *Target) startDirectly(cmd *exec.Cmd, foreign ns.Type) (started bool, err error) {
	pid, err := t.pidNamespace()
	if err != nil {
		return false, err
	}
	defer pid.Close()
	plan, err := t.plan(foreign, ns.All&^ns.PID)
	if err != nil {
		return false, err
	}
	err = ns.Do(func() error {
		started = true
		return start(plan, cmd)
	}, pid)
	// With no memory left the kernel says the same as when the first process of the namespace has ended, pid_namespaces(7).
	if e := (*cnsenter.Error)(nil); errors.As(err, &e) && e.Op == cnsenter.OpStart && errors.Is(err, syscall.ENOMEM) {
		err = &cnsenter.Error{Step: -1, Op: cnsenter.OpFork, Types: ns.PID, Path: pid.String(), Err: syscall.ENOMEM}
	}
	return started, err
}

// pidNamespace returns a Handle of its own for the PID namespace.
func (t *Target) pidNamespace() (*ns.Handle, error) {
	for _, h := range t.handles {
		if h.Type() == ns.PID {
			return ns.FromFile(h.File())
		}
	}
	return ns.FromPIDFD(t.pidfd, ns.PID)
}

// Close releases the Target's descriptors. Processes that were started stay. A second Close does nothing.
func (t *Target) Close() error {
	if t.pidfd != nil {
		t.pidfd.Close()
	}
	if t.owned {
		for _, h := range t.handles {
			h.Close()
		}
	}
	return nil
}

// Error is a target that cannot be had.
type Error struct {
	Op  string // "open", "parse", "plan"
	Ref string // what the caller gave, or "pid 4711"
	Err error
}

func (e *Error) Error() string { return "launcher: " + e.Op + " " + e.Ref + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }
