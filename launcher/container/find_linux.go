// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Find looks for a container among the cgroups of all processes, without asking any engine. The id is a full one of 64 hexadecimal
// digits, or 12 of them at least from its start, or one that somebody has chosen, which must be the last component of the cgroup's
// path. The PID of the Info is that of the container's first process. Paused containers are found, too.
//
// The error is an *Error, with ErrNotFound, or an *AmbiguousError where containers have the start of their ids in common.
func Find(ctx context.Context, id string) (Info, error) {
	found, err := find(ctx, id)
	if err != nil {
		return Info{}, &Error{Op: "find", Ref: strconv.Quote(id), Err: err}
	}
	return found, nil
}

func find(ctx context.Context, id string) (Info, error) {
	members, err := search(ctx, id)
	if err != nil {
		return Info{}, err
	}
	var found []Info
	for id, pids := range members {
		if pid := first(pids); pid != 0 {
			found = append(found, Info{ID: id, PID: pid})
		}
	}
	slices.SortFunc(found, func(a, b Info) int { return strings.Compare(a.ID, b.ID) })
	switch len(found) {
	case 0:
		return Info{}, ErrNotFound
	case 1:
		return found[0], nil
	}
	return Info{}, &AmbiguousError{Ref: id, Candidates: found}
}

// search returns the pids in the cgroups of every container that id may mean.
func search(ctx context.Context, id string) (members map[string][]int, err error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	entries, err := proc.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	members = map[string][]int{}
	for _, name := range entries {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text, err := os.ReadFile("/proc/" + name + "/cgroup")
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, fs.ErrPermission) {
			continue // it has ended, or /proc hides it from the caller, who may not enter it then either
		}
		if err != nil {
			return nil, err
		}
		for _, match := range matches(paths(string(text)), id) {
			members[match] = append(members[match], pid)
		}
	}
	return members, nil
}

// first returns the first process of a container: the oldest of those whose parent is outside. Programs that an engine has started
// in it later have their parent outside as well. None is left where 0 is returned.
func first(pids []int) (first int) {
	var oldest uint64
	for _, pid := range pids {
		parent, start, err := ancestry(pid)
		if err != nil || slices.Contains(pids, parent) {
			continue
		}
		if first == 0 || start < oldest || start == oldest && pid < first {
			first, oldest = pid, start
		}
	}
	return first
}

// ancestry returns the parent of a process, and the time of its start in clock ticks since boot, proc_pid_stat(5).
func ancestry(pid int) (parent int, start uint64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	// The name in parentheses may hold anything, parentheses too.
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const ppid, starttime = 1, 19 // fields 4 and 22, where 3 is the first
	if len(f) <= starttime {
		return 0, 0, fs.ErrInvalid
	}
	if parent, err = strconv.Atoi(f[ppid]); err != nil {
		return 0, 0, err
	}
	start, err = strconv.ParseUint(f[starttime], 10, 64)
	return parent, start, err
}
