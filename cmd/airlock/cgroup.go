// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
	"golang.org/x/sys/unix"
)

// membership is a line of /proc/PID/cgroup, cgroups(7): the cgroup that the process is in of one hierarchy.
type membership struct {
	hierarchy string // its controllers, or its name, "name=systemd"; empty: version 2
	path      string
}

func memberships(text string) (list []membership) {
	for line := range strings.Lines(text) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(f) == 3 {
			list = append(list, membership{f[1], f[2]})
		}
	}
	return list
}

// joinCgroups adds the steps into those cgroups of the target that we are not in, of every hierarchy: version 1, version 2, or both. They come
// first, while the cgroup.procs files are still to be written with our privileges, and before the fork.
func joinCgroups(plan cnsenter.Plan, target *process) (cnsenter.Plan, error) {
	theirs, err := target.read("cgroup")
	if err != nil {
		return nil, err
	}
	ours, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	here := memberships(string(ours))
	for _, m := range memberships(theirs) {
		if slices.Contains(here, m) {
			continue
		}
		f, err := openCgroup(m, cgroupMounts(string(mounts)))
		if err != nil {
			return nil, fmt.Errorf("--join-cgroup: %w", err)
		}
		plan = append(plan, cnsenter.JoinCgroup(f))
	}
	return plan, nil
}

// openCgroup opens the cgroup.procs file of a membership, wherever its hierarchy is mounted.
func openCgroup(m membership, mounts []cgroupMount) (*os.File, error) {
	if strings.HasPrefix(m.path+"/", "/../") {
		return nil, fmt.Errorf("cgroup %s of the target is outside of our cgroup namespace", m)
	}
	for _, mount := range mounts {
		path, ok := mount.find(m)
		if !ok {
			continue
		}
		f, err := os.OpenFile(path+"/cgroup.procs", os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		var fs unix.Statfs_t
		if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
			return nil, &os.PathError{Op: "statfs", Path: f.Name(), Err: err}
		}
		if fs.Type == unix.CGROUP_SUPER_MAGIC || fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return f, nil
		}
		f.Close() // something else is mounted over it
	}
	return nil, fmt.Errorf("cgroup %s of the target: its hierarchy is not mounted here", m)
}

func (m membership) String() string {
	if m.hierarchy == "" {
		return m.path
	}
	return m.hierarchy + ":" + m.path
}

// cgroupMount is a line of /proc/self/mountinfo, proc_pid_mountinfo(5).
type cgroupMount struct {
	root, point, fstype string
	options             []string // of the file system: controllers among them
}

func cgroupMounts(mountinfo string) (list []cgroupMount) {
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if ok && len(f) > 4 && len(g) > 2 && strings.HasPrefix(g[0], "cgroup") {
			list = append(list, cgroupMount{unescape(f[3]), unescape(f[4]), g[0], strings.Split(g[2], ",")})
		}
	}
	return list
}

// find returns the directory of the membership, if this mount shows it.
func (c cgroupMount) find(m membership) (string, bool) {
	if (m.hierarchy == "") != (c.fstype == "cgroup2") {
		return "", false
	}
	if m.hierarchy != "" {
		for controller := range strings.SplitSeq(m.hierarchy, ",") {
			if !slices.Contains(c.options, controller) {
				return "", false
			}
		}
	}
	root := strings.TrimSuffix(c.root, "/")
	below, ok := strings.CutPrefix(m.path, root)
	if !ok || below != "" && below[0] != '/' {
		return "", false
	}
	return c.point + strings.TrimSuffix(below, "/"), true
}

// unescape undoes the octal escapes of a path in mountinfo.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
