// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func (s *stage) cgroup(ts *testscript.TestScript, args []string) {
	pid := strconv.Itoa(s.pid(ts, args[0]))
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	ts.Check(err)
	made := 0
	for _, mount := range cgroupMounts(string(mountinfo)) {
		dir, err := os.MkdirTemp(mount.point, "airlock-test-")
		if err != nil {
			continue
		}
		ts.Defer(func() {
			ts.Check(empty(dir))
			ts.Check(os.Remove(dir))
		})
		if os.WriteFile(dir+"/cgroup.procs", []byte(pid), 0) == nil { // a cpuset takes none before it has processors
			made++
		}
	}
	if made == 0 {
		ts.Fatalf("no cgroup can be made")
	}
}

// empty moves what is in a cgroup to the one above.
func empty(dir string) error {
	pids, err := os.ReadFile(dir + "/cgroup.procs")
	for pid := range strings.FieldsSeq(string(pids)) {
		if err := os.WriteFile(filepath.Dir(dir)+"/cgroup.procs", []byte(pid), 0); err != nil {
			return err
		}
	}
	return err
}

// Every kind of machine: version 1 alone, version 2 alone, both, hierarchies with several controllers, and one seen from a container.
func TestCgroupPlaces(t *testing.T) {
	const v1 = "30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
		"31 25 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
	const v2 = "32 25 0:28 / /sys/fs/cgroup\\040two rw - cgroup2 cgroup2 rw,nsdelegate\n"
	const container = "33 25 0:28 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
	for name, c := range map[string]struct{ mounts, line, want string }{
		"version 1":             {v1, "4:cpu,cpuacct:/box", "/sys/fs/cgroup/cpu,cpuacct/box"},
		"one of the two":        {v1, "4:cpu:/box", "/sys/fs/cgroup/cpu,cpuacct/box"},
		"a named hierarchy":     {v1, "1:name=systemd:/a/b", "/sys/fs/cgroup/systemd/a/b"},
		"a root":                {v1, "1:name=systemd:/", "/sys/fs/cgroup/systemd"},
		"version 2, not there":  {v1, "0::/box", ""},
		"version 2":             {v2, "0::/box", "/sys/fs/cgroup two/box"},
		"both":                  {v1 + v2, "0::/box", "/sys/fs/cgroup two/box"},
		"version 1, not there":  {v2, "3:memory:/box", ""},
		"inside of a container": {container, "0::/docker/abc/x", "/sys/fs/cgroup/x"},
		"a neighbour":           {container, "0::/docker/abcd", ""},
		"a path with a colon":   {v2, "0::/a:b", "/sys/fs/cgroup two/a:b"},
	} {
		t.Run(name, func(t *testing.T) {
			list := memberships(c.line + "\n")
			require.Len(t, list, 1)
			var got string
			for _, m := range cgroupMounts(c.mounts) {
				if path, ok := m.find(list[0]); ok {
					got = path
				}
			}
			require.Equal(t, c.want, got)
		})
	}
	_, err := openCgroup(membership{"", "/../box"}, cgroupMounts(v2))
	require.ErrorContains(t, err, "outside of our cgroup namespace")
	_, err = openCgroup(membership{"memory", "/box"}, cgroupMounts(v2))
	require.ErrorContains(t, err, "cgroup memory:/box of the target: its hierarchy is not mounted here")
}
