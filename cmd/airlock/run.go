// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

// run becomes the program that was asked for. It returns only with an error.
func (r *request) run() error {
	var target *process
	if r.target != "" {
		var err error
		if target, err = openProcess(r.target); err != nil {
			return err
		}
		defer target.dir.Close()
	}
	env, err := r.environ(target)
	if err != nil {
		return err
	}
	plan, err := r.plan(target)
	if err != nil {
		return err
	}
	argv := r.program
	program := ""
	if len(argv) == 0 {
		program = shell(env)
		argv = []string{"-" + program[strings.LastIndexByte(program, '/')+1:]}
	} else {
		program = argv[0]
	}
	return append(plan, cnsenter.Exec(program)).Replace(r.name, argv, env, advise)
}

// plan is the way into the namespaces, up to the program: first the namespaces, then the directories in them, and the ids last, since
// they take the privilege for the rest away.
func (r *request) plan(target *process) (cnsenter.Plan, error) {
	goal, err := r.goal(target)
	if err != nil {
		return nil, err
	}
	goal.PreserveCredentials = true // see ids
	plan, err := goal.Plan()
	if err != nil {
		return nil, err
	}
	entered, forks := goal.Types(), false
	if n := len(plan); n > 0 && plan[n-1].Op() == cnsenter.OpFork {
		plan, forks = plan[:n-1], !r.noFork
	}
	if plan, err = r.directories(plan, target, entered); err != nil {
		return nil, err
	}
	if forks {
		plan = append(plan, cnsenter.Fork())
	}
	return r.ids(plan, target, entered)
}

// goal is the namespaces that are asked for and are not ours: files take the place of the target's.
func (r *request) goal(target *process) (*launcher.Target, error) {
	var handles []*ns.Handle
	types := r.types
	if r.all {
		types = ns.All
	}
	for t := range ns.All.Each() {
		path, ok := r.files[t]
		if !ok {
			continue
		}
		types &^= t
		h, err := openFile(path, t)
		if err != nil {
			return nil, err
		}
		if ours, err := isOurs(h); err != nil {
			return nil, err
		} else if !ours {
			handles = append(handles, h)
		}
	}
	if types == 0 {
		return launcher.Handles(handles...), nil
	}
	goal, err := launcher.PID(target.pid, types)
	if err != nil {
		return nil, err
	}
	return goal.With(handles...), nil
}

func openFile(path string, t ns.Type) (*ns.Handle, error) {
	h, err := ns.Open(path)
	if err != nil {
		return nil, err
	}
	if h.Type() != t {
		return nil, fmt.Errorf("%s is a namespace of type %v, not %v", path, h.Type(), t)
	}
	return h, nil
}

func isOurs(h *ns.Handle) (bool, error) {
	ours, err := ns.Current(h.Type())
	if err != nil {
		return false, err
	}
	defer ours.Close()
	return ours.ID() == h.ID(), nil
}

// shell is the program that runs when none is given.
func shell(env []string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if s, ok := strings.CutPrefix(env[i], "SHELL="); ok && s != "" {
			return s
		}
	}
	return "/bin/sh"
}

// advise says what to do about a step that is not permitted, or does not find what it needs.
func advise(s cnsenter.Step) string {
	switch s.Op() {
	case cnsenter.OpJoin:
		return "this takes root, or one's own user namespace that owns it: see --user and --all"
	case cnsenter.OpFork:
		return "out of memory here means that the first process of the PID namespace has ended: nothing can start there any more"
	case cnsenter.OpExec:
		return "it is looked for among the files of the target, along $PATH; --env takes the target's $PATH"
	case cnsenter.OpSetUID, cnsenter.OpSetGID:
		return "--preserve-credentials keeps the ids"
	}
	return ""
}
