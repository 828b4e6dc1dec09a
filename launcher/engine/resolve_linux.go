// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/ns"
)

// Resolve returns the Target of the namespaces, among the types t, of the container that ref means: those that its first process has
// and the caller has not, on the terms of [launcher.PID]. What is held is sure to be the container's. The error is an *Error; the
// caller closes the Target.
//
// It asks engines, each for no longer than Timeout, and returns early when the context ends.
func Resolve(ctx context.Context, ref string, t ns.Type) (*launcher.Target, error) {
	target, err := resolve(ctx, ref, t)
	if err != nil {
		return nil, &Error{Op: "resolve", Ref: ref, Err: err}
	}
	return target, nil
}

func resolve(ctx context.Context, ref string, t ns.Type) (*launcher.Target, error) {
	info, err := find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if info.Engine == "pid" {
		return launcher.PID(info.PID, t)
	}
	p, err := container.Open(info.PID)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	target, failed := launcher.PID(info.PID, t)
	if err := p.Check(info.ID); err != nil { // also where PID has failed: that may have been about another process
		if target != nil {
			target.Close()
		}
		return nil, err
	}
	return target, failed
}

// Find returns what is known of the container that ref means, for those who join it themselves: package launcher/container says
// what to do about a PID that may have another process by then. At the time of the answer it was the container's. The error
// is an *Error. Of "pid://4711" there is only the number, and Engine is "pid".
func Find(ctx context.Context, ref string) (container.Info, error) {
	info, err := find(ctx, ref)
	if err == nil && info.Engine != "pid" {
		err = prove(info)
	}
	if err != nil {
		return container.Info{}, &Error{Op: "find", Ref: ref, Err: err}
	}
	return info, nil
}

func prove(info container.Info) error {
	p, err := container.Open(info.PID)
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Check(info.ID)
}

func find(ctx context.Context, ref string) (container.Info, error) {
	r, err := parse(ref)
	if err != nil {
		return container.Info{}, err
	}
	if r.scheme == "pid" {
		pid, err := r.pid()
		return container.Info{Engine: "pid", ID: r.name, Name: r.name, PID: pid}, err
	}
	all, tried := endpoints(r.scheme)
	for _, e := range all {
		if e.program() && slices.ContainsFunc(tried, func(a *Attempt) bool { return a.Engine == e.engine && answered(a) }) {
			continue
		}
		info, err := inquire(ctx, e, r.name)
		attempt, ambiguous := (*Attempt)(nil), (*container.AmbiguousError)(nil)
		if !errors.As(err, &attempt) || errors.As(err, &ambiguous) || ctx.Err() != nil {
			return info, err
		}
		tried = append(tried, attempt)
	}
	return withoutEngine(ctx, r, tried)
}

// inquire asks one engine for a container that runs.
func inquire(ctx context.Context, e endpoint, name string) (container.Info, error) {
	c, err := ask(ctx, e, func(ctx context.Context, a asker) (candidate, error) {
		c, err := a.find(ctx, name)
		if err != nil {
			return c, err
		}
		return c, c.running()
	})
	return c.Info, err
}

// withoutEngine looks for the container among the host's cgroups, unless an engine that was asked for has answered. Names are the
// engine's affair: there only containerd has ids that somebody has chosen.
func withoutEngine(ctx context.Context, r reference, tried []*Attempt) (container.Info, error) {
	for _, a := range tried {
		stopped, remote := (*NotRunningError)(nil), (*RemoteError)(nil)
		if errors.As(a, &stopped) || r.scheme != "" && (errors.As(a, &remote) || answered(a)) {
			return container.Info{}, failure(tried)
		}
	}
	if r.scheme != "" && r.scheme != "containerd" && !container.IsID(r.id()) {
		return container.Info{}, failure(tried)
	}
	info, err := container.Find(ctx, r.id())
	if err != nil {
		if failed := (*container.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		if ambiguous := (*container.AmbiguousError)(nil); errors.As(err, &ambiguous) {
			return container.Info{}, err
		}
		return container.Info{}, failure(append(tried, &Attempt{"cgroups", "/proc", err}))
	}
	return info, nil
}

// failure is the error that the attempts come to: that a container does not run says more than that others do not know it.
func failure(tried []*Attempt) error {
	for _, a := range tried {
		if stopped := (*NotRunningError)(nil); errors.As(a, &stopped) {
			return stopped
		}
	}
	return &NotFoundError{tried}
}
