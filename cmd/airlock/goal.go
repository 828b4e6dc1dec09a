// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

// goal is the namespaces that are asked for and are not ours: files and a socket take the place of the target's.
func (r *request) goal(target *process) (*launcher.Target, error) {
	types := r.selected()
	var handles []*ns.Handle
	add := func(h *ns.Handle) error {
		types &^= h.Type()
		ours, err := isOurs(h)
		if err == nil && !ours {
			handles = append(handles, h)
		}
		return err
	}
	for t := range ns.All.Each() {
		file, ok := r.files[t]
		if !ok {
			continue
		}
		h, err := openFile(file, t)
		if err != nil {
			return nil, err
		}
		if err := add(h); err != nil {
			return nil, err
		}
	}
	if r.socket.given {
		h, err := r.socket.namespace(target)
		if err != nil {
			return nil, err
		}
		if err := add(h); err != nil {
			return nil, err
		}
	}
	if r.parent {
		h, err := r.userParent(target, handles, types)
		if err != nil {
			return nil, fmt.Errorf("--user-parent: %w", err)
		}
		handles = without(handles, ns.User)
		if err := add(h); err != nil {
			return nil, err
		}
	}
	if target != nil && target.foreign {
		return target.goal(types, handles)
	}
	if types == 0 {
		return launcher.Handles(handles...), nil
	}
	goal, err := launcher.PID(target.pid, types)
	if err != nil {
		return nil, target.explain(err)
	}
	return goal.With(handles...), nil
}

// selected is the types of the target's namespaces that are asked for.
func (r *request) selected() ns.Type {
	types := r.types
	if r.all {
		types = ns.All
	}
	if r.hostTools.given {
		if types == 0 {
			types = hostTools
		}
		types &^= ns.Mount
	}
	return types
}

// goal is the namespaces of a process that cannot be taken hold of by its pid: they are opened one by one, of one process, since
// its directory shows no other.
func (p *process) goal(types ns.Type, handles []*ns.Handle) (*launcher.Target, error) {
	for t := range types.Each() {
		h, err := p.namespace(t)
		if errors.Is(err, os.ErrNotExist) && p.alive() == nil {
			continue // not a type of this kernel
		}
		if err != nil {
			return nil, err
		}
		ours, err := isOurs(h)
		if err != nil {
			return nil, err
		}
		if !ours {
			handles = append(handles, h)
		}
	}
	return launcher.Handles(handles...), nil
}

// userParent opens the parent of the user namespace that is asked for, or else the owner of another one that is.
func (r *request) userParent(target *process, handles []*ns.Handle, types ns.Type) (*ns.Handle, error) {
	if types.Has(ns.User) {
		user, err := target.namespace(ns.User)
		if err != nil {
			return nil, err
		}
		return user.Parent()
	}
	for _, h := range handles {
		if h.Type() == ns.User {
			return h.Parent()
		}
	}
	for _, h := range handles {
		return h.Owner()
	}
	for t := range types.Each() {
		h, err := target.namespace(t)
		if err != nil {
			return nil, err
		}
		return h.Owner()
	}
	return nil, errors.New("all other namespaces are ours already")
}

func without(handles []*ns.Handle, t ns.Type) (kept []*ns.Handle) {
	for _, h := range handles {
		if h.Type() != t {
			kept = append(kept, h)
		}
	}
	return kept
}
