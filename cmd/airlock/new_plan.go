// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// run becomes the program, or its supervisor where the caller has something to do while the namespaces come to be: the maps of a user
// namespace are written from outside, and so are namespaces mounted on files. It returns only with an error.
func (c *creation) run() error {
	env := os.Environ()
	argv, program := c.program, ""
	if len(argv) > 0 {
		program = argv[0]
	} else {
		if program = variable(env, "SHELL"); program == "" {
			program = "/bin/sh"
		}
		argv = []string{login(program)}
	}
	return c.launch(launch{
		name: c.name, argv: argv, env: env, advise: adviseRun,
		plan: append(c.plan(), cnsenter.Exec(program)), watched: c.types.Has(ns.User), born: c.pin(),
	})
}

// plan makes the namespaces, then furnishes them, and changes the ids last.
func (c *creation) plan() (plan cnsenter.Plan) {
	uid, gid := os.Geteuid(), os.Getegid()
	if c.owner != nil {
		uid, gid = c.owner[0], c.owner[1]
		plan = append(plan, cnsenter.DropGroups(), cnsenter.SetGID(gid), cnsenter.SetUID(uid))
	}
	if c.types != 0 {
		spec := ns.Spec{Types: c.types, Monotonic: c.monotonic, Boottime: c.boottime, DenySetgroups: c.setgroups == "deny"}
		if c.types.Has(ns.User) {
			spec.UIDMap, spec.GIDMap = c.users.maps(uid), c.groups.maps(gid)
		}
		plan = append(plan, cnsenter.Unshare(spec))
	}
	if c.fork || c.types&(ns.PID|ns.Time|ns.User) != 0 { // for user, since it is watched, and nobody is born outside
		plan = append(plan, cnsenter.Fork())
	}
	if propagation := c.propagate(); propagation != 0 {
		plan = append(plan, cnsenter.Mount("none", "/", "", propagation|unix.MS_REC, ""))
	}
	if c.root != "" {
		plan = append(plan, cnsenter.Chroot(c.root))
	}
	if c.wd != "" {
		plan = append(plan, cnsenter.Chdir(c.wd))
	}
	if c.proc.given {
		plan = append(plan, cnsenter.Mount("proc", c.proc.path, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
	}
	if c.gid.given {
		plan = append(plan, cnsenter.DropGroups(), cnsenter.SetGID(c.gid.number))
	}
	if c.uid.given {
		plan = append(plan, cnsenter.SetUID(c.uid.number))
	}
	if c.keepCaps {
		all := known()
		plan = append(plan, cnsenter.SetCaps(cnsenter.Caps{Effective: all, Permitted: all, Inheritable: all, Ambient: all, Bounding: all}))
	}
	return plan
}

// propagate returns the flag for mount(2); a new mount namespace shares its mounts with the old one until it is set.
func (c *creation) propagate() uint32 {
	if !c.types.Has(ns.Mount) {
		return 0
	}
	return map[string]uint32{"": unix.MS_PRIVATE, "private": unix.MS_PRIVATE, "shared": unix.MS_SHARED, "slave": unix.MS_SLAVE}[c.propagation]
}

// pin returns what mounts the new namespaces on their files once they are there, or nil if there is none to.
func (c *creation) pin() func(pid int) error {
	if len(c.files) == 0 {
		return nil
	}
	return func(pid int) error {
		for t := range ns.All.Each() {
			if path, ok := c.files[t]; ok {
				if err := pin(pid, t, path); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// pin mounts a namespace of the process on a file, which is made if it is not there.
func pin(pid int, t ns.Type, path string) error {
	h, err := ns.OpenPID(pid, t)
	if err != nil {
		return err
	}
	defer h.Close()
	err = h.Pin(path)
	if errors.Is(err, os.ErrExist) {
		source := fmt.Sprintf("/proc/self/fd/%d", h.File().Fd())
		if err = unix.Mount(source, path, "", unix.MS_BIND, ""); err != nil {
			err = &os.PathError{Op: "mount a namespace on", Path: path, Err: err}
		}
	}
	if errors.Is(err, unix.EINVAL) && t == ns.Mount {
		return fmt.Errorf("%w (the file of a mount namespace has to be on a mount that is not shared, mount_namespaces(7))", err)
	}
	return err
}

// adviseRun says what to do about a step that is not permitted, or does not find what it needs.
func adviseRun(s cnsenter.Step) string {
	switch s.Op() {
	case cnsenter.OpUnshare:
		return "this takes root, or a user namespace around it: see --user"
	case cnsenter.OpMount:
		return "a /proc can be mounted in a new pid namespace, or where the whole of it is to be seen: see --pid"
	case cnsenter.OpExec:
		return "it is looked for along $PATH, below --root"
	case cnsenter.OpSetUID, cnsenter.OpSetGID:
		return "the ids in a user namespace are those that it has a map for: see --map-users and --map-groups"
	}
	return ""
}
