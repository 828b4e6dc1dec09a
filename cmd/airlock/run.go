// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"sync"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

// run becomes the program that was asked for. It returns only with an error.
func (r *request) run() error {
	var target *process
	if r.target != "" {
		var err error
		if target, err = openProcess(r.proc, r.target); err != nil {
			return err
		}
		defer target.dir.Close()
	}
	way, err := r.way(target)
	if wrong := r.found.check(); wrong != nil {
		return wrong // also where way has failed: that may be another process's doing
	}
	if err != nil {
		return err
	}
	env, err := r.environ(target, way.who.account)
	if err != nil {
		return err
	}
	argv, program := r.program, ""
	if len(argv) > 0 {
		program = argv[0]
	} else {
		if program, err = r.shell(env, way.files, way.who.effective()); err != nil {
			return err
		}
		argv = []string{login(program)}
	}
	if target != nil {
		if err := target.alive(); err != nil {
			return err
		}
		if err := r.limits(target); err != nil {
			return err
		}
	}
	return r.launch(launch{
		name: r.name, argv: argv, env: env, plan: append(way.plan, cnsenter.Exec(program)), advise: advise, interactive: !r.dropIn(),
	})
}

// way leads to the program.
type way struct {
	plan  cnsenter.Plan
	who   identity
	files func() (tree, error) // that the program will see
}

// way finds the steps: first the cgroups and the namespaces, then the directories in them, and the ids last, since they take the privilege for
// the rest away.
func (r *request) way(target *process) (w way, err error) {
	if r.cgroup {
		if w.plan, err = joinCgroups(w.plan, target); err != nil {
			return w, err
		}
	}
	goal, err := r.goal(target)
	if err != nil {
		return w, err
	}
	if err := permitted(goal); err != nil {
		return w, err
	}
	goal.PreserveCredentials = true // see identity
	joins, err := goal.Plan()
	if err != nil {
		return w, err
	}
	entered, forks := ns.Type(0), false
	for _, step := range joins {
		entered |= step.Types()
	}
	if n := len(joins); n > 0 && joins[n-1].Op() == cnsenter.OpFork {
		joins, forks = joins[:n-1], !r.noFork
	}
	if err := r.expect(goal, entered); err != nil {
		return w, err
	}
	if w.plan, err = r.ownMounts(append(w.plan, joins...), target, entered); err != nil {
		return w, err
	}
	var root *os.File
	if w.plan, root, err = r.directories(w.plan, target, entered); err != nil {
		return w, err
	}
	w.files = sync.OnceValues(func() (tree, error) { return r.openTree(target, root, entered.Has(ns.Mount)) })
	if forks {
		w.plan = append(w.plan, cnsenter.Fork())
		if r.freshProc(entered) {
			w.plan = append(w.plan, mountProc())
		}
	}
	if w.plan, err = r.labels(w.plan, target); err != nil {
		return w, err
	}
	if w.who, err = r.identity(target, entered, w.files); err != nil {
		return w, err
	}
	w.plan = w.who.steps(w.plan)
	w.plan, err = r.capabilities(w.plan, target, entered, w.who)
	return w, err
}

// expect tells the status in which namespaces the program will be.
func (r *request) expect(goal *launcher.Target, entered ns.Type) error {
	kept := ns.All &^ entered
	if r.hostTools.given || r.freshProc(entered) {
		kept &^= ns.Mount // a new one, see ownMounts
	}
	if r.noFork && entered.Has(ns.PID) { // which only its children are in
		entered, kept = entered&^ns.PID, kept|ns.PID
	}
	return r.status.expect(goal, entered, kept)
}

// advise says what to do about a step that is not permitted, or does not find what it needs.
func advise(s cnsenter.Step) string {
	switch s.Op() {
	case cnsenter.OpJoin:
		return entryAdvice
	case cnsenter.OpFork:
		return "out of memory here means that the first process of the PID namespace has ended: nothing can start there any more"
	case cnsenter.OpChroot:
		return "to change the root directory takes CAP_SYS_CHROOT, which --user gives in a user namespace of one's own"
	case cnsenter.OpMount:
		return "--keep-proc leaves /proc as it is"
	case cnsenter.OpAttach:
		return "--host-tools=DIRECTORY shows the target's files in another directory of ours"
	case cnsenter.OpWrite:
		return "--follow=-label leaves the label as it is"
	case cnsenter.OpSetCaps:
		return "--follow=-capabilities leaves them as they are"
	case cnsenter.OpExec:
		return "it is looked for among the files of the target, along $PATH; --env takes the target's $PATH"
	case cnsenter.OpSetGroups:
		return "a user namespace that denies setgroups keeps the groups, user_namespaces(7)"
	case cnsenter.OpSetUID, cnsenter.OpSetGID:
		return "--preserve-credentials keeps the ids"
	}
	return ""
}
