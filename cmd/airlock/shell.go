// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/moby/sys/user"
)

// usualShells are where a shell may be found when those that are meant are not there.
var usualShells = []string{"/bin/bash", "/bin/sh", "/bin/ash", "/usr/bin/sh", "/busybox/sh", "/bin/busybox", "/system/bin/sh"}

// shell is the program that runs when none is given: $SHELL, or that of the user's line in passwd(5), or /bin/sh. As nsenter the first
// of them that is named is it; otherwise the first that is there.
//
// Where the files cannot be looked at from here, it is the first of those that can be named.
func (r *request) shell(env []string, files func() (tree, error), uid int) (string, error) {
	var named []string
	if s := variable(env, "SHELL"); s != "" {
		named = append(named, s)
	}
	t, err := files()
	if err == nil {
		if passwd, err := t.readOptional("/etc/passwd"); err == nil {
			if line := entry(passwd, func(u user.User) bool { return u.Uid == uid }); line != nil && line.Shell != "" {
				named = append(named, line.Shell)
			}
		}
	}
	named = append(named, "/bin/sh")
	if r.dropIn() || err != nil {
		return named[0], nil
	}
	for _, s := range slices.Concat(named, usualShells) {
		if strings.HasPrefix(s, "/") && t.executable(s) {
			return s, nil
		}
	}
	return "", statusError{errors.New("there is no shell among the files of the target: give a program that is there,\n" +
		"or enter with --host-tools and have our programs"), 127}
}

// login is how a shell is called to be a login shell.
func login(shell string) string {
	name := shell[strings.LastIndexByte(shell, '/')+1:]
	return "-" + name
}
