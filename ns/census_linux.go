// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A census is one pass over /proc. Namespaces are known by their inodes alone, for their device is
// always that of nsfs.
type census struct {
	dev     uint64
	found   map[uint64]*Info
	mounts  map[uint64]bool // mount namespaces whose mounts have been read
	sockets map[string]bool // sockets that have been asked, by the text of their link
	text    [64]byte        // of one link
}

// leaderLinks and threadLinks are the files in /proc/PID/ns: of a process, and those of its other
// threads that may differ from it. The rest is shared by all threads, clone(2) CLONE_THREAD.
var (
	leaderLinks = []string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts", "pid_for_children", "time_for_children"}
	threadLinks = []string{"cgroup", "ipc", "mnt", "net", "uts", "pid_for_children", "time_for_children"}
)

func takeCensus(ctx context.Context) (*census, error) {
	dev, err := device()
	if err != nil {
		return nil, err
	}
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	c := &census{dev: dev, found: map[uint64]*Info{}, mounts: map[uint64]bool{}, sockets: map[string]bool{}}
	for {
		names, err := proc.Readdirnames(128)
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if pid, err := strconv.Atoi(name); err == nil {
				c.process(pid)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	for _, i := range c.found {
		slices.Sort(i.PIDs)
	}
	return c, nil
}

// process adds what a process and its threads are in, have open and have mounted. What it may not see
// of it, or what is gone meanwhile, it leaves out.
func (c *census) process(pid int) {
	proc := "/proc/" + strconv.Itoa(pid)
	own := map[string]uint64{}
	c.links(proc+"/ns", leaderLinks, func(link string, ino uint64) {
		own[link] = ino
		switch link {
		case "pid_for_children":
			if ino != own["pid"] {
				c.keep(ino, PID, Keeper{Kind: KeptByChildren, PID: pid})
			}
		case "time_for_children":
			if ino != own["time"] {
				c.keep(ino, Time, Keeper{Kind: KeptByChildren, PID: pid})
			}
		default:
			i := c.entry(ino, kernelNamed(link))
			i.PIDs = append(i.PIDs, pid)
		}
	})
	if len(own) == 0 {
		return
	}
	c.threads(pid, proc, own)
	c.descriptors(pid, proc, own["net"])
	if mnt := own["mnt"]; mnt != 0 && !c.mounts[mnt] {
		c.mounts[mnt] = true
		c.mountinfo(pid, proc)
	}
}

func (c *census) threads(pid int, proc string, own map[string]uint64) {
	each(proc+"/task", func(_ int, name string) {
		tid, err := strconv.Atoi(name)
		if err != nil || tid == pid {
			return
		}
		c.links(proc+"/task/"+name+"/ns", threadLinks, func(link string, ino uint64) {
			if ino == own[link] {
				return
			}
			t := kernelNamed(strings.TrimSuffix(link, "_for_children"))
			k := Keeper{Kind: KeptByThread, PID: pid, TID: tid}
			if strings.HasSuffix(link, "_for_children") {
				// The number of a thread leads to its directory too, proc(5).
				k = Keeper{Kind: KeptByChildren, PID: tid}
			}
			c.keep(ino, t, k)
		})
	})
}

func (c *census) descriptors(pid int, proc string, netns uint64) {
	each(proc+"/fd", func(dir int, name string) {
		fd, err := strconv.Atoi(name)
		if err != nil {
			return
		}
		text := c.readlinkat(dir, name)
		if strings.HasPrefix(text, "socket:[") {
			if !c.sockets[text] {
				c.sockets[text] = true
				c.socket(pid, fd, netns)
			}
			return
		}
		t, ino := parseLink(text)
		if t == 0 && !strings.Contains(text, ":") {
			t, ino = c.opened(dir, name, proc)
		}
		if t != 0 {
			c.keep(ino, t, Keeper{Kind: KeptByDescriptor, PID: pid, FD: fd})
		}
	})
}

// opened returns type and inode of a namespace that was opened where it is mounted: the link of the descriptor is that path then, or,
// when it is not mounted there any more, "/". Whatever else has a path is not opened, nor its file system asked, statx(2).
func (c *census) opened(dir int, name, proc string) (Type, uint64) {
	var st unix.Statx_t
	if unix.Statx(dir, name, unix.AT_STATX_DONT_SYNC, unix.STATX_INO, &st) != nil || unix.Mkdev(st.Dev_major, st.Dev_minor) != c.dev {
		return 0, 0
	}
	h, err := Open(proc + "/fd/" + name)
	if err != nil {
		return 0, 0
	}
	defer h.Close()
	return h.Type(), h.ID().Ino
}

// socket adds the namespace of a socket that is elsewhere than its process.
func (c *census) socket(pid, fd int, netns uint64) {
	at, err := stolenSocketNetns(pid, fd)
	if err != nil {
		return
	}
	defer unix.Close(at)
	var st unix.Stat_t
	if unix.Fstat(at, &st) == nil && st.Ino != netns {
		c.keep(st.Ino, Net, Keeper{Kind: KeptBySocket, PID: pid, FD: fd})
	}
}

// mountinfo adds what is pinned in the mount namespace of a process, proc_pid_mountinfo(5): the root of
// a mount of nsfs is what a link in /proc/PID/ns says.
func (c *census) mountinfo(pid int, proc string) {
	f, err := os.Open(proc + "/mountinfo")
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		if t, ino := parseLink(fields[3]); t != 0 && slices.Contains(fields[5:], "nsfs") {
			c.keep(ino, t, Keeper{Kind: KeptByMount, PID: pid, Path: unescape(fields[4])})
		}
	}
}

// unescape undoes the octal escapes of proc_pid_mountinfo(5).
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

func (c *census) keep(ino uint64, t Type, k Keeper) {
	i := c.entry(ino, t)
	i.Keepers = append(i.Keepers, k)
}

func (c *census) entry(ino uint64, t Type) *Info {
	i := c.found[ino]
	if i == nil {
		i = &Info{ID: ID{Dev: c.dev, Ino: ino}, Type: t}
		c.found[ino] = i
	}
	return i
}

// links calls f for each of the links in a directory ns of proc that can be read.
func (c *census) links(dir string, links []string, f func(link string, ino uint64)) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	for _, link := range links {
		if t, ino := parseLink(c.readlinkat(fd, link)); t != 0 {
			f(link, ino)
		}
	}
}

// readlinkat returns the text of a link, or "" if it has none or too long a one to be of interest.
func (c *census) readlinkat(dir int, name string) string {
	n, err := unix.Readlinkat(dir, name, c.text[:])
	if err != nil || n == len(c.text) {
		return ""
	}
	return string(c.text[:n])
}

// each calls f for the names in a directory, and with the directory itself. It calls f for none if the
// directory cannot be read.
func each(dir string, f func(dir int, name string)) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	var entries [4096]byte
	names := make([]string, 0, 16)
	for {
		n, err := unix.ReadDirent(fd, entries[:])
		if n <= 0 || err != nil {
			return
		}
		_, _, names = unix.ParseDirent(entries[:n], -1, names[:0])
		for _, name := range names {
			f(fd, name)
		}
	}
}
