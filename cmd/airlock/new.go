// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// creation is what the command line of run asks for.
type creation struct {
	name        string
	types       ns.Type
	files       map[ns.Type]string // to mount the new namespaces on
	users       idMaps
	groups      idMaps
	owner       *[2]int // uid and gid
	setgroups   string
	propagation string
	proc        directory
	root, wd    string
	uid, gid    id
	monotonic   time.Duration
	boottime    time.Duration
	keepCaps    bool
	fork        bool
	ignored     bool // options for what is so in any case
	help        bool
	version     bool
	program     []string
	oversight
}

// namespace is the option that makes one, and mounts it on a file if there is one.
func (c *creation) namespace(short byte, long string, t ns.Type) option {
	return option{short, long, optional, "file", "a new " + long + " namespace; mounted on the file, it outlives the program", func(v string, given bool) error {
		c.types |= t
		if !given {
			return nil
		}
		if v == "" {
			return errors.New("an empty path")
		}
		c.files[t] = v
		return nil
	}}
}

// options are those of unshare(1), and airlock's own after them.
func (c *creation) options() []option {
	return append([]option{
		c.namespace('m', "mount", ns.Mount),
		c.namespace('u', "uts", ns.UTS),
		c.namespace('i', "ipc", ns.IPC),
		c.namespace('n', "net", ns.Net),
		c.namespace('p', "pid", ns.PID),
		c.namespace('U', "user", ns.User),
		c.namespace('C', "cgroup", ns.Cgroup),
		c.namespace('T', "time", ns.Time),
		{'f', "fork", none, "", "fork before the program is executed, as a pid or time namespace needs in any case", flag(&c.fork)},
		{0, "map-user", required, "uid|name", "the caller has this uid in the user namespace", c.mapUser},
		{0, "map-group", required, "gid|name", "the caller has this gid in the user namespace", c.mapGroup},
		{'r', "map-root-user", none, "", "the caller is root in the user namespace, as without any option", c.mapRoot},
		{'c', "map-current-user", none, "", "the caller is who he is in the user namespace", c.mapCurrent},
		{0, "map-auto", none, "", "map the caller's ids of subuid(5) and subgid(5)", c.mapAuto},
		{0, "map-users", required, "inner:outer:count|auto|all", "map uids", c.mapping(&c.users)},
		{0, "map-groups", required, "inner:outer:count|auto|all", "map gids", c.mapping(&c.groups)},
		{0, "owner", required, "uid:gid", "who owns the user namespace", c.setOwner},
		{0, "setgroups", required, "allow|deny", "whether setgroups(2) is allowed in the user namespace", oneOf(&c.setgroups, "allow", "deny")},
		{0, "kill-child", optional, "signal", "accepted: the program never outlives airlock", c.setKillChild},
		{0, "forward-signals", none, "", "accepted: all signals are passed on", flag(&c.ignored)},
		{0, "mount-proc", optional, "directory", "mount /proc, in a new mount namespace", c.setProc},
		{0, "propagation", required, "private|shared|slave|unchanged", "of the mounts in a new mount namespace; private", oneOf(&c.propagation,
			"private", "shared", "slave", "unchanged")},
		{0, "keep-caps", none, "", "keep the capabilities in the user namespace when the uid is not 0", flag(&c.keepCaps)},
		{'R', "root", required, "directory", "root directory", text(&c.root)},
		{'w', "wd", required, "directory", "working directory, below the root", text(&c.wd)},
		{'S', "setuid", required, "uid", "uid in the namespaces", c.number(&c.uid)},
		{'G', "setgid", required, "gid", "gid in the namespaces, and no other groups", c.number(&c.gid)},
		{0, "monotonic", required, "seconds", "add to the monotonic clock, in a new time namespace", seconds(&c.monotonic)},
		{0, "boottime", required, "seconds", "add to the boottime clock, in a new time namespace", seconds(&c.boottime)},
		{'h', "help", none, "", "print this help", flag(&c.help)},
		{'V', "version", none, "", "print the version", flag(&c.version)},
	}, c.oversight.options()...)
}

func oneOf(to *string, words ...string) func(string, bool) error {
	return func(v string, _ bool) error {
		if !slices.Contains(words, v) {
			return fmt.Errorf("%q is none of %s", v, strings.Join(words, ", "))
		}
		*to = v
		return nil
	}
}

func seconds(to *time.Duration) func(string, bool) error {
	return func(v string, _ bool) error {
		number, err := strconv.ParseFloat(v, 64)
		if err != nil || number > 1e9 || number < -1e9 {
			return fmt.Errorf("%q is no number of seconds", v)
		}
		*to = time.Duration(number * float64(time.Second))
		return nil
	}
}

// number is an id that has no target to follow.
func (c *creation) number(to *id) func(string, bool) error {
	return func(v string, given bool) error {
		if v == "follow" {
			return errors.New("there is nobody to follow")
		}
		return to.set(v, given)
	}
}

func (c *creation) setProc(v string, given bool) error {
	c.types |= ns.Mount
	if !given {
		v = "/proc"
	}
	return c.proc.set(v, true)
}

func (c *creation) setKillChild(v string, given bool) error {
	if given && unix.SignalNum("SIG"+strings.TrimPrefix(v, "SIG")) != unix.SIGKILL {
		return fmt.Errorf("%q: it is always SIGKILL", v)
	}
	c.fork = true
	return nil
}

func (c *creation) setOwner(v string, _ bool) error {
	var owner [2]int
	if n, err := fmt.Sscanf(v, "%d:%d", &owner[0], &owner[1]); n != 2 || err != nil || owner[0] < 0 || owner[1] < 0 {
		return fmt.Errorf("%q is not uid:gid", v)
	}
	c.types |= ns.User
	c.owner = &owner
	return nil
}

func create(name string, args []string) error {
	c := &creation{name: name, files: map[ns.Type]string{}}
	var err error
	c.program, err = parse(c.options(), args)
	switch {
	case err != nil:
		c.status.failed(err)
		return fmt.Errorf("%w\nTry '%s --help'", err, name)
	case c.help:
		fmt.Printf("Usage: %s [options] [program [argument...]]\n\n%s\nRuns a program in new namespaces, $SHELL or /bin/sh if none is given. "+
			"In a new user namespace the caller is root, unless\nan option says otherwise. The exit status is the program's; 127 if it is not "+
			"found, 126 if it cannot be executed, 1 if\nanything else fails.\n", name, help(c.options()))
		return nil
	case c.version:
		fmt.Println(version())
		return nil
	}
	if err = c.check(); err == nil {
		err = c.run()
	}
	c.status.failed(err)
	return err
}

// check finds what the options ask for in vain.
func (c *creation) check() error {
	switch {
	case c.tty && c.noTTY:
		return errors.New("options --tty and --no-tty exclude each other")
	case (c.monotonic != 0 || c.boottime != 0) && !c.types.Has(ns.Time):
		return errors.New("options --monotonic and --boottime are about a new time namespace: add --time")
	case c.setgroups != "" && !c.types.Has(ns.User):
		return errors.New("option --setgroups is about a new user namespace: add --user")
	case c.keepCaps && !c.types.Has(ns.User):
		return errors.New("option --keep-caps is about a new user namespace: add --user")
	case c.setgroups == "allow" && os.Geteuid() != 0 && len(c.groups.ranges) == 0:
		return errors.New("option --setgroups allow takes root, or --map-groups: the kernel has nobody drop a group that he is refused by")
	}
	return nil
}
