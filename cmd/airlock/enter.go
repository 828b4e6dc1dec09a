// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// request is what the command line of enter asks for.
type request struct {
	name        string // that airlock was called by
	target      string // pid, with ":" and its inode in pidfs behind it perhaps
	types       ns.Type
	all         bool
	files       map[ns.Type]string // namespaces by path
	root, wd    directory
	wdns        string
	uid, gid    id
	environment bool
	noFork      bool
	preserve    bool
	help        bool
	version     bool
	program     []string
}

// directory is one that an option asks for: the target's own, or a path.
type directory struct {
	given bool
	path  string
}

// id is a uid or gid that an option asks for: a number, or the owner of the target process.
type id struct {
	given, follow bool
	number        int
}

func (d *directory) set(v string, given bool) error {
	*d = directory{given: true, path: v}
	if given && v == "" {
		return errors.New("an empty path")
	}
	return nil
}

func (i *id) set(v string, _ bool) error {
	if v == "follow" {
		*i = id{given: true, follow: true}
		return nil
	}
	number, err := strconv.ParseInt(v, 10, 32)
	if err != nil || number < 0 {
		return fmt.Errorf("%q is no id: a number, or follow", v)
	}
	*i = id{given: true, number: int(number)}
	return nil
}

func flag(b *bool) func(string, bool) error {
	return func(string, bool) error {
		*b = true
		return nil
	}
}

func text(s *string) func(string, bool) error {
	return func(v string, _ bool) error {
		if v == "" {
			return errors.New("an empty value")
		}
		*s = v
		return nil
	}
}

// namespace is the option that asks for one type: the target's, or the one at a path.
func (r *request) namespace(short byte, long string, t ns.Type) option {
	return option{short, long, optional, "file", "enter the " + long + " namespace", func(v string, given bool) error {
		if !given {
			r.types |= t
			return nil
		}
		if v == "" {
			return errors.New("an empty path")
		}
		r.files[t] = v
		return nil
	}}
}

func (r *request) options() []option {
	return []option{
		{'t', "target", required, "PID[:inode]", "process whose namespaces to enter", text(&r.target)},
		{'a', "all", none, "", "enter all namespaces of the target that are not ours", flag(&r.all)},
		r.namespace('m', "mount", ns.Mount),
		r.namespace('u', "uts", ns.UTS),
		r.namespace('i', "ipc", ns.IPC),
		r.namespace('n', "net", ns.Net),
		r.namespace('p', "pid", ns.PID),
		r.namespace('C', "cgroup", ns.Cgroup),
		r.namespace('U', "user", ns.User),
		r.namespace('T', "time", ns.Time),
		{'S', "setuid", required, "uid|follow", "user id in the namespaces", r.uid.set},
		{'G', "setgid", required, "gid|follow", "group id in the namespaces, and no other groups", r.gid.set},
		{0, "preserve-credentials", none, "", "keep uid, gid and groups in a user namespace", flag(&r.preserve)},
		{'r', "root", optional, "directory", "root directory: the target's, or one of ours", r.root.set},
		{'w', "wd", optional, "directory", "working directory: the target's, or one of ours", r.wd.set},
		{'W', "wdns", required, "directory", "working directory, by its path in the namespaces", text(&r.wdns)},
		{'e', "env", none, "", "the target's environment", flag(&r.environment)},
		{'F', "no-fork", none, "", "do not fork into the pid namespace", flag(&r.noFork)},
		{'h', "help", none, "", "print this help", flag(&r.help)},
		{'V', "version", none, "", "print the version", flag(&r.version)},
	}
}

func enter(name string, args []string) error {
	r := &request{name: name, files: map[ns.Type]string{}}
	options := r.options()
	var err error
	r.program, err = parse(options, args)
	switch {
	case err != nil:
		return fmt.Errorf("%w\nTry '%s --help'", err, name)
	case r.help:
		fmt.Printf("Usage: %s [options] [program [argument...]]\n\n%s\n"+
			"Without a program, $SHELL is run as a login shell. The exit status is the program's; 127 if it is not found, 126 if it\n"+
			"cannot be executed, 1 if anything else fails.\n", name, help(options))
		return nil
	case r.version:
		fmt.Println(version())
		return nil
	}
	if err := r.check(); err != nil {
		return err
	}
	return r.run()
}

// check finds what the options ask for in vain.
func (r *request) check() error {
	if r.wdns != "" && r.wd.given {
		return errors.New("options --wd and --wdns exclude each other")
	}
	if r.target != "" {
		return nil
	}
	var needs []string
	for _, c := range []struct {
		given bool
		name  string
	}{
		{r.all, "--all"},
		{r.types != 0, "a namespace without a file: " + r.types.String()},
		{r.root.given && r.root.path == "", "--root without a directory"},
		{r.wd.given && r.wd.path == "", "--wd without a directory"},
		{r.environment, "--env"},
		{r.uid.follow, "--setuid follow"},
		{r.gid.follow, "--setgid follow"},
	} {
		if c.given {
			needs = append(needs, c.name)
		}
	}
	if len(needs) > 0 {
		return fmt.Errorf("no target process for %s: give one by --target PID", strings.Join(needs, ", "))
	}
	if len(r.files) == 0 && !r.root.given && !r.wd.given && r.wdns == "" && !r.uid.given && !r.gid.given {
		return errors.New("nothing to enter: give a --target PID with --all or namespaces, or namespaces by their files")
	}
	return nil
}

// environ returns what the program's environment is.
func (r *request) environ(p *process) ([]string, error) {
	if !r.environment {
		return os.Environ(), nil
	}
	return p.environ()
}
