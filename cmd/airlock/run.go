// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
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

// plan is the way into the namespaces, up to the program.
func (r *request) plan(target *process) (cnsenter.Plan, error) {
	goal, err := r.goal(target)
	if err != nil {
		return nil, err
	}
	goal.PreserveCredentials = r.preserve || r.uid.given || r.gid.given
	plan, err := goal.Plan()
	if err != nil {
		return nil, err
	}
	ids := plan[len(plan):]
	for i, s := range plan {
		if s.Op() == cnsenter.OpFork { // directories come before the ids, and the fork does not matter to them
			plan, ids = plan[:i:i], plan[i:]
			break
		}
		if s.Op() == cnsenter.OpDropGroups {
			plan, ids = plan[:i:i], plan[i:]
			break
		}
	}
	if plan, err = r.directories(plan, target); err != nil {
		return nil, err
	}
	for _, s := range ids {
		if s.Op() != cnsenter.OpFork || !r.noFork {
			plan = append(plan, s)
		}
	}
	if plan, err = r.ids(plan, target); err != nil {
		return nil, err
	}
	return plan, nil
}

// goal is the namespaces that are asked for: files take the place of the target's.
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
		h, err := ns.Open(path)
		if err != nil {
			return nil, err
		}
		if h.Type() != t {
			return nil, fmt.Errorf("%s is a namespace of type %v, not %v", path, h.Type(), t)
		}
		handles = append(handles, h)
		types &^= t
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

func (r *request) directories(plan cnsenter.Plan, target *process) (cnsenter.Plan, error) {
	open := func(d directory, name string) (*os.File, error) {
		if d.path == "" {
			return target.directory(name)
		}
		return os.OpenFile(d.path, unix.O_PATH|unix.O_DIRECTORY, 0)
	}
	if r.root.given {
		root, err := open(r.root, "root")
		if err != nil {
			return nil, err
		}
		plan = append(plan, cnsenter.FChroot(root))
	}
	if r.wd.given {
		wd, err := open(r.wd, "cwd")
		if err != nil {
			return nil, err
		}
		plan = append(plan, cnsenter.FChdir(wd))
	}
	if r.wdns != "" {
		plan = append(plan, cnsenter.Chdir(r.wdns))
	}
	return plan, nil
}

func (r *request) ids(plan cnsenter.Plan, target *process) (cnsenter.Plan, error) {
	if r.preserve && !r.uid.given && !r.gid.given {
		return plan, nil
	}
	uid, gid := r.uid.number, r.gid.number
	if r.uid.follow || r.gid.follow {
		u, g, err := target.ids()
		if err != nil {
			return nil, err
		}
		if r.uid.follow {
			uid = u
		}
		if r.gid.follow {
			gid = g
		}
	}
	if r.uid.given || r.gid.given {
		plan = append(plan, cnsenter.DropGroups())
	}
	if r.gid.given {
		plan = append(plan, cnsenter.SetGID(gid))
	}
	if r.uid.given {
		plan = append(plan, cnsenter.SetUID(uid))
	}
	return plan, nil
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
