// SPDX-License-Identifier: Apache-2.0

package container

import (
	"path"
	"slices"
	"strings"
)

const (
	fullID  = 64 // hexadecimal digits of the ids that engines make up
	shortID = 12 // of those that they print
)

// drivers are what engines and runtimes that leave cgroups to systemd put before the id: "docker-ID.scope".
var drivers = []string{"docker", "libpod", "crio", "cri-containerd", "containerd", "nerdctl", "runc", "crun"}

// paths returns those in the text of /proc/PID/cgroup, cgroups(7): lines "4:memory:/docker/ID" of version 1, one a hierarchy, and
// "0::/docker/ID" of version 2. A hybrid host has both, and an engine may use either.
func paths(text string) (all []string) {
	for line := range strings.Lines(text) {
		if f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(f) == 3 && !slices.Contains(all, f[2]) {
			all = append(all, f[2])
		}
	}
	return all
}

// names reports whether a cgroup path is of the container, or lies in its. A full id stands for itself wherever it is; a name
// that somebody has thought up may be one that a parent of other containers has, "docker", and counts only where no full id
// follows it.
func names(path, id string) bool {
	if isFull(id) {
		return slices.Contains(full(path), id)
	}
	components := strings.Split(path, "/")
	for i, c := range slices.Backward(components) {
		if is(c, id) {
			return true
		}
		if len(full(components[i])) > 0 {
			return false
		}
	}
	return false
}

// is reports whether a component of a path is the one of a container, with or without systemd.
func is(component, id string) bool {
	if component == id {
		return true
	}
	scope, ok := strings.CutSuffix(component, "-"+id+".scope")
	return ok && slices.Contains(drivers, scope)
}

// full returns the full ids in a path, the outermost first: a container may have others inside it. The monitor that podman and
// CRI-O keep beside a container, "libpod-conmon-ID.scope", is not in it.
func full(path string) (ids []string) {
	for c := range strings.SplitSeq(path, "/") {
		c = strings.TrimSuffix(c, ".scope")
		prefix, id := "", c
		if i := strings.LastIndexByte(c, '-'); i >= 0 {
			prefix, id = c[:i], c[i+1:]
		}
		if isFull(id) && !strings.HasSuffix(prefix, "conmon") {
			ids = append(ids, id)
		}
	}
	return ids
}

// matches returns the containers in whose cgroups the paths are and that id may mean.
func matches(paths []string, id string) (ids []string) {
	add := func(id string) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, p := range paths {
		if IsID(id) {
			for _, whole := range full(p) {
				if strings.HasPrefix(whole, id) {
					add(whole)
				}
			}
		}
		if !strings.HasPrefix(id, ".") && !strings.Contains(id, "/") && is(path.Base(p), id) {
			add(id)
		}
	}
	return ids
}

// IsID reports whether text is an id that an engine has made up, or the start of one that is long enough for Find: 12 to 64
// hexadecimal digits.
func IsID(text string) bool { return len(text) >= shortID && len(text) <= fullID && isHex(text) }

func isFull(id string) bool { return len(id) == fullID && isHex(id) }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// marked reports whether the text of /proc/PID/mountinfo, proc_pid_mountinfo(5), has the mount by which podman marks a container,
// as it does each: a file of its own directory for this container, ".../ID/userdata/.containerenv". Mounts that containers share,
// like /etc/hosts, say less.
func marked(mountinfo, id string) bool {
	for line := range strings.Lines(mountinfo) {
		f := strings.Fields(line)
		if len(f) > 4 && f[4] == "/run/.containerenv" && strings.HasSuffix(f[3], "/"+id+"/userdata/.containerenv") {
			return isFull(id)
		}
	}
	return false
}
