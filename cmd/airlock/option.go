// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
)

// value says whether an option has one.
type value int

const (
	none     value = iota
	required       // the next argument, or glued: -tPID, --target=PID
	optional       // glued only: -m/file, -m=/file, --mount=/file
)

// option is a row of the table that parser and help are made of.
type option struct {
	short byte // 0: none
	long  string
	value value
	name  string // of the value
	help  string
	set   func(v string, given bool) error
}

// parse sets the options at the head of args, up to the first argument that is none or after "--", and returns the rest. Long names
// may be abbreviated as long as they are unambiguous; short ones may be put together up to one that takes a value: the rest of the
// argument is that value, as getopt_long(3) has it.
//
// What more tables add makes no abbreviation ambiguous: it means an option of the first table that has one for it.
func parse(options []option, args []string, more ...[]option) (rest []string, err error) {
	tables := append([][]option{options}, more...)
	for len(args) > 0 {
		arg := args[0]
		switch {
		case arg == "--":
			return args[1:], nil
		case strings.HasPrefix(arg, "--"):
			args, err = parseLong(tables, arg[2:], args[1:])
		case len(arg) > 1 && arg[0] == '-':
			args, err = parseShort(tables, arg[1:], args[1:])
		default:
			return args, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func parseLong(tables [][]option, arg string, rest []string) ([]string, error) {
	name, v, given := strings.Cut(arg, "=")
	o, err := findLong(tables, name)
	if err != nil {
		return nil, err
	}
	if o.value == none && given {
		return nil, fmt.Errorf("option --%s takes no value", o.long)
	}
	return o.take("--"+o.long, v, given, rest)
}

func findLong(tables [][]option, name string) (*option, error) {
	var found []*option // of the first table that has any
	for _, options := range tables {
		first := len(found) == 0
		for i := range options {
			o := &options[i]
			if o.long == name {
				return o, nil
			}
			if first && strings.HasPrefix(o.long, name) {
				found = append(found, o)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("unknown option --%s", name)
	case 1:
		return found[0], nil
	}
	var names []string
	for _, o := range found {
		names = append(names, "--"+o.long)
	}
	return nil, fmt.Errorf("option --%s is ambiguous: %s", name, strings.Join(names, ", "))
}

func parseShort(tables [][]option, letters string, rest []string) ([]string, error) {
	for i := 0; i < len(letters); i++ {
		o := findShort(tables, letters[i])
		if o == nil {
			return nil, fmt.Errorf("unknown option -%c", letters[i])
		}
		name := "-" + letters[i:i+1]
		if o.value == none {
			if _, err := o.take(name, "", false, nil); err != nil {
				return nil, err
			}
			continue
		}
		glued := letters[i+1:]
		return o.take(name, strings.TrimPrefix(glued, "="), glued != "", rest)
	}
	return rest, nil
}

func findShort(tables [][]option, letter byte) *option {
	for _, options := range tables {
		for i := range options {
			if options[i].short == letter {
				return &options[i]
			}
		}
	}
	return nil
}

// take gives the option its value, from the arguments that follow if it is there.
func (o *option) take(name, v string, given bool, rest []string) ([]string, error) {
	if o.value == required && !given {
		if len(rest) == 0 {
			return nil, fmt.Errorf("option %s needs a value: %s", name, o.name)
		}
		v, given, rest = rest[0], true, rest[1:]
	}
	if err := o.set(v, given); err != nil {
		return nil, fmt.Errorf("option %s: %w", name, err)
	}
	return rest, nil
}

// help lists the options, a line each.
func help(options []option) string {
	var b strings.Builder
	for _, o := range options {
		short := "    "
		if o.short != 0 {
			short = "-" + string(o.short) + ", "
		}
		long := "--" + o.long
		switch o.value {
		case required:
			long += " " + o.name
		case optional:
			long += "[=" + o.name + "]"
		}
		fmt.Fprintf(&b, "  %s%-26s %s\n", short, long, o.help)
	}
	return b.String()
}
