// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// request is what the command line of enter asks for.
type request struct {
	name        string // that airlock was called by
	target      string // pid, with ":" and its inode in pidfs behind it perhaps, or a container by name
	found       *found // what that name means
	proc        string // where the target's directory is
	types       ns.Type
	all         bool
	files       map[ns.Type]string // namespaces by path, or by the kernel's number behind a colon
	socket      socket
	parent      bool // the user namespace that owns the others
	root, wd    directory
	wdns        string
	uid, gid    id
	account     string // a name, and a group behind a colon perhaps
	preserve    bool
	keepCaps    bool
	drop, add   capabilities
	environment bool
	clear       bool
	variables   []string
	cgroup      bool
	selinux     bool
	follow      parts
	hostTools   directory
	keepProc    bool
	noFork      bool
	help        bool
	version     bool
	program     []string
	oversight
}

// dropIn reports whether airlock was called as nsenter, whose behaviour it then keeps to where airlock's own is another.
func (r *request) dropIn() bool { return r.name == "nsenter" }

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
	if given && v == "" {
		return errors.New("an empty path")
	}
	if d.given && d.path == "" {
		return nil // given both ways it is the target's, as in nsenter
	}
	*d = directory{given: true, path: v}
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

// setTarget takes a pid, and a container by name where nsenter, which does not, need not be kept to.
func (r *request) setTarget(v string, given bool) error {
	if r.dropIn() && named(v) {
		return fmt.Errorf("%q is no pid", v)
	}
	return text(&r.target)(v, given)
}

// namespace is the option that asks for one type: the target's, or the one at a path. Given both ways it is the target's, as in
// nsenter.
func (r *request) namespace(short byte, long string, t ns.Type) option {
	return option{short, long, optional, "file|:id", "enter the " + long + " namespace", func(v string, given bool) error {
		switch {
		case !given:
			r.types |= t
			delete(r.files, t)
		case v == "":
			return errors.New("an empty path")
		case !r.types.Has(t):
			r.files[t] = v
		}
		return nil
	}}
}

// options is the table of what nsenter(1) has.
func (r *request) options() []option {
	return []option{
		{'t', "target", required, "PID[:inode]|container", "process whose namespaces to enter", r.setTarget},
		{'a', "all", none, "", "enter all namespaces of the target that are not ours", flag(&r.all)},
		r.namespace('m', "mount", ns.Mount),
		r.namespace('u', "uts", ns.UTS),
		r.namespace('i', "ipc", ns.IPC),
		r.namespace('n', "net", ns.Net),
		{'N', "net-socket", required, "fd", "enter the net namespace of a socket of the target", r.socket.set},
		r.namespace('p', "pid", ns.PID),
		r.namespace('C', "cgroup", ns.Cgroup),
		r.namespace('U', "user", ns.User),
		{0, "user-parent", none, "", "enter the parent of the user namespace, or the owner of the others", flag(&r.parent)},
		r.namespace('T', "time", ns.Time),
		{'S', "setuid", required, "uid|follow", "user id in the namespaces", r.uid.set},
		{'G', "setgid", required, "gid|follow", "group id in the namespaces, and no other groups", r.gid.set},
		{0, "preserve-credentials", none, "", "keep uid, gid and groups in a user namespace", flag(&r.preserve)},
		{0, "keep-caps", none, "", "keep the capabilities that a user namespace gives", flag(&r.keepCaps)},
		{'r', "root", optional, "directory", "root directory: the target's, or one of ours", r.root.set},
		{'w', "wd", optional, "directory", "working directory: the target's, or one of ours", r.wd.set},
		{'W', "wdns", required, "directory", "working directory, by its path in the namespaces", text(&r.wdns)},
		{'e', "env", none, "", "the target's environment", flag(&r.environment)},
		{'F', "no-fork", none, "", "do not fork into the pid namespace", flag(&r.noFork)},
		{'c', "join-cgroup", none, "", "join the target's cgroups", flag(&r.cgroup)},
		{'Z', "follow-context", none, "", "the target's SELinux context", flag(&r.selinux)},
		{'h', "help", none, "", "print this help", flag(&r.help)},
		{'V', "version", none, "", "print the version", flag(&r.version)},
	}
}

// additions is the table of what airlock enter has beyond nsenter.
func (r *request) additions() []option {
	return append([]option{
		{0, "follow", optional, "part,...", "take all of the target, or these parts; -part: not this one", r.follow.set},
		{0, "as", required, "user[:group]", "user and group of the target's /etc/passwd and /etc/group", text(&r.account)},
		{0, "cap-drop", required, "name,...", "take capabilities away; all: every one", r.drop.set},
		{0, "cap-add", required, "name,...", "give capabilities, after --cap-drop", r.add.set},
		{0, "setenv", required, "name=value", "set an environment variable", r.setenv},
		{0, "clear-env", none, "", "begin with an empty environment", flag(&r.clear)},
		{0, "host-tools", optional, "directory", "keep our files; the target's are seen in a directory, /mnt", r.hostTools.set},
		{0, "keep-proc", none, "", "mount no /proc for a pid namespace without its mounts", flag(&r.keepProc)},
		{0, "proc", required, "directory", "a /proc that knows the target's pid, other than ours", text(&r.proc)},
	}, r.oversight.options()...)
}

// tables are all tables that hold here, those that go first in front.
func (r *request) tables() [][]option {
	if r.dropIn() {
		return [][]option{r.options()}
	}
	return [][]option{r.options(), r.additions()}
}

func enter(name string, args []string) error {
	r := &request{name: name, files: map[ns.Type]string{}, proc: "/proc"}
	tables := r.tables()
	var err error
	if r.program, err = parse(tables[0], args, tables[1:]...); err == nil {
		err = r.operand(tables)
	}
	switch {
	case err != nil:
		r.status.failed(err)
		return fmt.Errorf("%w\nTry '%s --help'", err, name)
	case r.help:
		fmt.Print(usageOf(name, tables))
		return nil
	case r.version:
		fmt.Println(version())
		return nil
	}
	if err = r.check(); err == nil {
		err = r.find()
	}
	if err == nil {
		r.followParts()
		err = r.run()
	}
	r.status.failed(err)
	return err
}

func usageOf(name string, tables [][]option) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [options] [program [argument...]]\n\n", name)
	for i, options := range tables {
		if i > 0 {
			b.WriteString("\nBeyond nsenter:\n")
		}
		b.WriteString(help(options))
		if i > 0 {
			fmt.Fprintf(&b, "\nThe parts of --follow are: %s.\n", strings.Join(partNames[:], ", "))
			b.WriteString(containerHelp)
		}
	}
	b.WriteString("\nWithout a program a shell is run as a login shell: $SHELL, or that of /etc/passwd, or /bin/sh. The exit status is the\n" +
		"program's; 127 if it is not found, 126 if it cannot be executed, 1 if anything else fails.\n")
	return b.String()
}
