// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// process is the target. Its /proc directory is held open: its files are this process's also when another gets its number.
type process struct {
	pid int
	dir *os.File
}

// openProcess opens the process that spec names: a pid, with the inode of its pidfd behind a colon perhaps, which must then be so.
func openProcess(spec string) (*process, error) {
	number, inode, identified := strings.Cut(spec, ":")
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 0 {
		return nil, fmt.Errorf("--target %q is no pid", spec)
	}
	if identified {
		if err := checkInode(pid, inode); err != nil {
			return nil, fmt.Errorf("--target %s: %w", spec, err)
		}
	}
	dir, err := os.OpenFile(fmt.Sprintf("/proc/%d", pid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("--target %d: there is no such process", pid)
	}
	if err != nil {
		return nil, err
	}
	return &process{pid, dir}, nil
}

// checkInode compares the inode number of the process in pidfs, Linux 6.9, which no later process has again.
func checkInode(pid int, want string) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if got := strconv.FormatUint(stat.Ino, 10); got != want {
		return fmt.Errorf("the process with this pid is another one: its inode is %s", got)
	}
	return nil
}

// directory opens root or cwd of the process.
func (p *process) directory(name string) (*os.File, error) {
	return p.open(name, unix.O_PATH|unix.O_DIRECTORY)
}

func (p *process) open(name string, flags int) (*os.File, error) {
	path := fmt.Sprintf("/proc/%d/%s", p.pid, name)
	fd, err := unix.Openat(int(p.dir.Fd()), name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func (p *process) environ() ([]string, error) {
	f, err := p.open("environ", unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b strings.Builder
	if _, err := f.WriteTo(&b); err != nil {
		return nil, err
	}
	variables := []string{} // nil would be ours
	for v := range strings.SplitSeq(b.String(), "\x00") {
		if v != "" {
			variables = append(variables, v)
		}
	}
	return variables, nil
}

// ids returns the owner of the process, whoever owns its files in /proc: those of one that is not dumpable are root's, proc_pid(5).
func (p *process) ids() (uid, gid int, err error) {
	f, err := p.open("status", unix.O_RDONLY)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	var b strings.Builder
	if _, err := f.WriteTo(&b); err != nil {
		return 0, 0, err
	}
	return field(b.String(), "Uid:"), field(b.String(), "Gid:"), nil
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

// field returns the effective one of the ids of a line in /proc/PID/status.
func field(status, name string) int {
	for line := range strings.SplitSeq(status, "\n") {
		if ids, ok := strings.CutPrefix(line, name); ok {
			if f := strings.Fields(ids); len(f) > 1 {
				id, _ := strconv.Atoi(f[1])
				return id
			}
		}
	}
	return -1
}

// inside translates an id of ours by a map of the process, user_namespaces(7).
func (p *process) inside(file string, outside int) (int, error) {
	f, err := p.open(file, unix.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var b strings.Builder
	if _, err := f.WriteTo(&b); err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		var first, from, size int
		if n, _ := fmt.Sscan(line, &first, &from, &size); n == 3 && outside >= from && outside-from < size {
			return first + outside - from, nil
		}
	}
	return 0, fmt.Errorf("id %d of process %d has no number in its user namespace", outside, p.pid)
}
