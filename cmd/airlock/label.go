// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"os"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"golang.org/x/sys/unix"
)

// label is what makes the next execve(2) one under a label of a security module: text for an attribute, a file in /proc/PID/attr.
type label struct {
	attribute, text string
}

// labels adds the steps to the target's SELinux context and AppArmor profile. The kernel forgets them with the next execve, and so they
// are written by the process that executes the program, after its fork, through our own /proc.
func (r *request) labels(plan cnsenter.Plan, target *process) (cnsenter.Plan, error) {
	var list []label
	if follows := r.follow.has(followLabel); (follows || r.selinux) && seLinux() {
		if target == nil {
			return nil, errors.New("no target process for --follow-context: give one by --target PID")
		}
		context, err := target.read("attr/current")
		if err != nil {
			return nil, err
		}
		list = append(list, label{"exec", strings.TrimRight(context, "\x00\n")})
	}
	if r.follow.has(followLabel) {
		profile, err := appArmor(target)
		if err != nil {
			return nil, err
		}
		list = append(list, profile...)
	}
	if len(list) == 0 {
		return plan, nil
	}
	proc, err := openDirectory("/proc")
	if err != nil {
		return nil, err
	}
	if err := onProc(proc); err != nil {
		return nil, err
	}
	for _, l := range list {
		plan = append(plan, cnsenter.Write(proc, "thread-self/attr/"+l.attribute, l.text))
	}
	return plan, nil
}

// seLinux reports whether SELinux is in force: it has a file system then.
func seLinux() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/selinux", &fs) == nil && uint32(fs.Type) == unix.SELINUX_MAGIC
}

// appArmor returns the label for the target's profile, unless it is ours or AppArmor is not in force: it has files of its own then,
// Linux 5.8, which cannot be read where it is not.
func appArmor(target *process) ([]label, error) {
	const current = "attr/apparmor/current"
	theirs, err := target.read(current)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.EINVAL) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ours, err := os.ReadFile("/proc/self/" + current)
	if err == nil && string(ours) == theirs {
		return nil, nil
	}
	return []label{{"apparmor/exec", "exec " + profile(theirs)}}, nil
}

// profile returns the name alone of "docker-default (enforce)".
func profile(current string) string {
	current = strings.TrimRight(current, "\x00\n")
	if i := strings.LastIndex(current, " ("); i > 0 && strings.HasSuffix(current, ")") {
		return current[:i]
	}
	return current
}
