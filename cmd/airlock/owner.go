// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ids returns the owner of the process, whoever owns its files in /proc: those of one that is not dumpable are root's, proc_pid(5).
func (p *process) ids() (uid, gid int, err error) {
	status, err := p.read("status")
	if err != nil {
		return 0, 0, err
	}
	const effective = 1
	uids, gids := numbers(statusField(status, "Uid")), numbers(statusField(status, "Gid"))
	if len(uids) <= effective || len(gids) <= effective {
		return 0, 0, fmt.Errorf("%s/status shows no ids", p.dir.Name())
	}
	return uids[effective], gids[effective], nil
}

// idsInside returns the owner of the process as its own user namespace counts ids.
func (p *process) idsInside() (uid, gid int, err error) {
	if uid, gid, err = p.ids(); err != nil {
		return 0, 0, err
	}
	if uid, err = p.inside("uid_map", uid); err != nil {
		return 0, 0, err
	}
	gid, err = p.inside("gid_map", gid)
	return uid, gid, err
}

// statusField returns what a line of /proc/PID/status says, or "".
func statusField(status, name string) string {
	for line := range strings.SplitSeq(status, "\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func numbers(text string) (list []int) {
	for word := range strings.FieldsSeq(text) {
		if n, err := strconv.Atoi(word); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// errUnmapped tells that an id is none of a user namespace.
var errUnmapped = errors.New("it has no number in its user namespace")

// inside translates an id of ours by a map of the process, user_namespaces(7).
func (p *process) inside(file string, outside int) (int, error) {
	text, err := p.read(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(text, "\n") {
		var first, from, size int
		if n, _ := fmt.Sscan(line, &first, &from, &size); n == 3 && outside >= from && outside-from < size {
			return first + outside - from, nil
		}
	}
	return 0, fmt.Errorf("id %d of process %d: %w", outside, p.pid, errUnmapped)
}
