// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/term"
)

// listing is what the command line of ls asks for.
type listing struct {
	types      ns.Type
	pid        int
	tree       string // "", owner, parent or process
	json       bool
	containers bool
	bare       bool // no heading
	help       bool
}

func (l *listing) options() []option {
	return []option{
		{'t', "type", required, "type,...", "only namespaces of these types", l.setTypes},
		{'p', "task", required, "PID", "only the namespaces of this process", l.setPID},
		{'T', "tree", optional, "owner|parent|process", "as a tree: what is owned below its owner, or the others", l.setTree},
		{'J', "json", none, "", "as JSON", flag(&l.json)},
		{0, "containers", none, "", "ask the engines for the containers' names, as is done for a terminal", flag(&l.containers)},
		{'n', "noheadings", none, "", "print no heading", flag(&l.bare)},
		{'h', "help", none, "", "print this help", flag(&l.help)},
	}
}

func (l *listing) setTypes(v string, _ bool) (err error) {
	var types ns.Type
	types, err = ns.ParseType(v)
	l.types |= types
	return err
}

func (l *listing) setPID(v string, _ bool) (err error) {
	if l.pid, err = strconv.Atoi(v); err != nil || l.pid <= 0 {
		return fmt.Errorf("%q is no pid", v)
	}
	return nil
}

func (l *listing) setTree(v string, given bool) error {
	if !given {
		v = "owner"
	}
	if l.tree = v; !slices.Contains([]string{"owner", "parent", "process"}, v) {
		return fmt.Errorf("%q is none of owner, parent and process", v)
	}
	return nil
}

func list(name string, args []string) error {
	l := &listing{}
	rest, err := parse(l.options(), args)
	switch {
	case err == nil && len(rest) > 0:
		err = fmt.Errorf("an argument too many: %s", rest[0])
		fallthrough
	case err != nil:
		return fmt.Errorf("%w\nTry '%s --help'", err, name)
	case l.help:
		fmt.Printf("Usage: %s [options]\n\n%s\nLists the namespaces of this host, those too that no process is in: what keeps them alive is "+
			"shown in place of\na command.\n", name, help(l.options()))
		return nil
	case l.json && l.tree != "":
		return errors.New("options --json and --tree exclude each other")
	}
	rows, err := l.rows()
	if err != nil {
		return err
	}
	switch {
	case l.json:
		return printJSON(os.Stdout, rows)
	case l.tree != "":
		return l.print(rows, forest(rows, l.tree))
	}
	return l.print(rows, nil)
}

// rows are the namespaces that are asked for, as people know them.
func (l *listing) rows() ([]*row, error) {
	named := make(chan map[int]string, 1)
	switch {
	case l.containers:
		go func() { named <- containerNames(10 * time.Second) }()
	case term.IsTerminal(1): // nobody has asked to wait
		go func() { named <- containerNames(300 * time.Millisecond) }()
	default:
		named <- nil
	}
	var rows []*row
	seen := l.pid == 0
	users := users{}
	for info, err := range ns.List(context.Background()) {
		if err != nil {
			return nil, err
		}
		of := l.pid == 0 || slices.Contains(info.PIDs, l.pid)
		seen = seen || of
		if of && (l.types == 0 || l.types.Has(info.Type)) {
			rows = append(rows, newRow(info, users))
		}
	}
	if !seen {
		return nil, fmt.Errorf("there is no process %d, or its namespaces are not to be seen", l.pid)
	}
	containers := <-named
	for _, r := range rows {
		r.nameContainer(containers)
	}
	return rows, nil
}
