// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"github.com/airlock-ns/airlock/cnsenter"
	"golang.org/x/term"
)

// oversight is what is asked for beside the program itself.
type oversight struct {
	tty, noTTY bool
	status     *status
}

// options is the table of it.
func (o *oversight) options() []option {
	return []option{
		{0, "tty", none, "", "give the program a terminal of its own, also if standard input is none", flag(&o.tty)},
		{0, "no-tty", none, "", "leave standard input as it is, also if it is a terminal", flag(&o.noTTY)},
		{0, "json-status", required, "fd", "report the start and the end of the program to a descriptor, as JSON lines", o.setStatus},
	}
}

func (o *oversight) setStatus(v string, _ bool) (err error) {
	o.status, err = openStatus(v)
	return err
}

// terminal reports whether the program gets one of its own: where its standard input would be a terminal, and interactive says that nothing
// is expected of this command that a terminal in between would change.
func (o *oversight) terminal(interactive bool) bool {
	return o.tty || interactive && !o.noTTY && term.IsTerminal(0)
}

// launch is how a program is to be started.
type launch struct {
	name        string // that airlock was called by
	argv, env   []string
	plan        cnsenter.Plan
	advise      func(cnsenter.Step) string
	interactive bool            // it gets a terminal where its standard input would be one
	watched     bool            // the plan needs somebody outside
	born        func(int) error // or nil; see supervisor
}

// launch becomes the program, or its supervisor if there is more to do. It returns only if the program cannot be started.
func (o *oversight) launch(l launch) error {
	tty := o.terminal(l.interactive)
	if !tty && o.status == nil && l.born == nil && !l.watched {
		return l.plan.Replace(l.name, l.argv, l.env, l.advise)
	}
	s := &supervisor{status: o.status, born: l.born}
	if tty {
		var err error
		if s.terminal, err = openTerminal(); err != nil {
			return err
		}
	}
	return s.supervise(l)
}
