// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// subcommand is a row of the table that dispatch, help, completion and manual are made of.
type subcommand struct {
	name     string
	operands string
	summary  string
	run      func(name string, args []string) error
	tables   func() [][]option // nil: it has no options
}

func subcommands() []subcommand {
	return []subcommand{
		{"enter", "[ENGINE://CONTAINER [options]] [program [argument...]]", "run a program in the namespaces of another one", enter, func() [][]option {
			return (&request{files: map[ns.Type]string{}}).tables()
		}},
		{"run", "[program [argument...]]", "run a program in new namespaces", create, func() [][]option {
			return [][]option{(&creation{files: map[ns.Type]string{}}).options()}
		}},
		{"ls", "", "list the namespaces of this host", list, func() [][]option {
			return [][]option{(&listing{}).options()}
		}},
	}
}

// find returns the subcommand of that name, or nil.
func find(name string) *subcommand {
	for _, c := range subcommands() {
		if c.name == name {
			return &c
		}
	}
	return nil
}

// synopsis is how the command is called.
func (c *subcommand) synopsis() string {
	text := "airlock " + c.name
	if c.tables != nil {
		text += " [options]"
	}
	return strings.TrimRight(text+" "+c.operands, " ")
}

func usage() string {
	var b strings.Builder
	b.WriteString("Usage:\n")
	for _, c := range subcommands() {
		fmt.Fprintf(&b, "  %s\n      %s\n", c.synopsis(), c.summary)
	}
	b.WriteString("  airlock --help | --version\n\n\"airlock COMMAND --help\" lists the options of a command. Called by the name nsenter, airlock is " +
		"\"airlock enter\".\n")
	return b.String()
}
