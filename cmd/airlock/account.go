// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/moby/sys/user"
)

// account is a user as the passwd(5) and group(5) files of the program's tree know it. Nothing of the target is executed to look it
// up, as NSS would be, nsswitch.conf(5).
type account struct {
	uid, gid int
	groups   []int
	entry    *user.User // nil for a uid without one
}

// lookUp finds NAME[:GROUP], each a name or a number. A group that is given stands alone; the user's own comes with all that list the user as
// a member. A number that no line has is good, too: then the gid is the same as the uid.
func lookUp(files tree, spec string) (*account, error) {
	name, _, _ := strings.Cut(spec, ":")
	if name == "" {
		return nil, fmt.Errorf("--as %s: no user", spec)
	}
	passwd, err := files.readOptional("/etc/passwd")
	if err != nil {
		return nil, fmt.Errorf("--as %s: %w", spec, err)
	}
	group, err := files.readOptional("/etc/group")
	if err != nil {
		return nil, fmt.Errorf("--as %s: %w", spec, err)
	}
	defaults := user.ExecUser{}
	if number, err := strconv.Atoi(name); err == nil {
		defaults.Gid = number
	}
	found, err := user.GetExecUser(spec, &defaults, reader(passwd), reader(group))
	if err != nil {
		return nil, fmt.Errorf("--as %s: %w", spec, err)
	}
	who := &account{uid: found.Uid, gid: found.Gid, groups: found.Sgids}
	who.entry = entry(passwd, func(u user.User) bool { return u.Name == name })
	if who.entry == nil {
		who.entry = entry(passwd, func(u user.User) bool { return u.Uid == found.Uid })
	}
	return who, nil
}

// entry returns the first line that fits, or nil.
func entry(passwd []byte, fits func(user.User) bool) *user.User {
	users, err := user.ParsePasswdFilter(bytes.NewReader(passwd), fits)
	if err != nil || len(users) == 0 {
		return nil
	}
	return &users[0]
}

// reader is nil where there is no file, so that numbers can do without.
func reader(text []byte) io.Reader {
	if text == nil {
		return nil
	}
	return bytes.NewReader(text)
}

// readOptional returns nil for a file that is not there.
func (t tree) readOptional(path string) ([]byte, error) {
	text, err := t.read(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// variables are what su(1) sets for a user.
func (a *account) variables() []string {
	if a.entry == nil {
		return nil
	}
	list := []string{"USER=" + a.entry.Name, "LOGNAME=" + a.entry.Name}
	if a.entry.Home != "" {
		list = append(list, "HOME="+a.entry.Home)
	}
	if a.entry.Shell != "" {
		list = append(list, "SHELL="+a.entry.Shell)
	}
	return list
}
