// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// directories adds the steps to the directories that are asked for, and returns the root among them. They are opened now, before any
// namespace is entered, except that of --wdns.
func (r *request) directories(plan cnsenter.Plan, target *process, entered ns.Type) (cnsenter.Plan, *os.File, error) {
	var root *os.File
	var err error
	if r.root.given {
		if root, err = r.root.open(target, "root"); err != nil {
			return nil, nil, err
		}
		if entered.Has(ns.Mount) || !r.follow.has(followRoot) || !at("/", root) { // whose root is ours needs no privilege to be followed
			plan = append(plan, cnsenter.FChroot(root))
		}
	}
	switch {
	case r.wd.given:
		wd, err := r.wd.open(target, "cwd")
		if err != nil {
			return nil, nil, err
		}
		plan = append(plan, cnsenter.FChdirOutside(wd)) // a tunnel, as nsenter(1) says
	case r.wdns != "":
		plan = append(plan, cnsenter.Chdir(r.wdns))
	case root != nil && !entered.Has(ns.Mount) && below(root):
		wd, err := openDirectory(".")
		if err != nil {
			return nil, nil, err
		}
		plan = append(plan, cnsenter.FChdir(wd))
	}
	return plan, root, nil
}

// open opens the directory: the one of that name that the target has, unless there is a path.
func (d directory) open(target *process, name string) (*os.File, error) {
	if d.path == "" {
		return target.directory(name)
	}
	return openDirectory(d.path)
}

func openDirectory(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// below reports whether the working directory lies in root. A root that another mount namespace holds has no path here, or that of
// another directory. Outside of its root a working directory would be a way out, chroot(2).
func below(root *os.File) bool {
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(root.Fd())))
	if err != nil || !at(path, root) {
		return false
	}
	wd, err := unix.Getwd()
	return err == nil && (path == "/" || wd == path || strings.HasPrefix(wd, path+"/"))
}

// at reports whether that is the path of the directory: the same inode on the same mount, statx(2). A copy of the mount in another namespace
// has the same inode, too.
func at(path string, dir *os.File) bool {
	var here, there unix.Statx_t
	const mask = unix.STATX_INO | unix.STATX_MNT_ID
	return unix.Statx(unix.AT_FDCWD, path, 0, mask, &here) == nil &&
		unix.Statx(int(dir.Fd()), "", unix.AT_EMPTY_PATH, mask, &there) == nil && here.Mask&there.Mask&mask == mask &&
		here.Ino == there.Ino && here.Mnt_id == there.Mnt_id && here.Dev_major == there.Dev_major && here.Dev_minor == there.Dev_minor
}
