// SPDX-License-Identifier: Apache-2.0

//go:build linux

package scan

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// Sight is what a container looks like from inside.
type Sight struct {
	Hostname  string   `json:"hostname,omitempty"`
	OS        string   `json:"os,omitempty"`        // from /etc/os-release; empty: there is none
	Processes int      `json:"processes,omitempty"` // that its /proc shows, without our own
	Listens   []string `json:"listens,omitempty"`   // "tcp 0.0.0.0:80": on which addresses of its network somebody listens
}

// look is called inside. It trusts nothing that it finds there: whose container it is, is root in it, and may have put a device, a
// pipe without an end, or a file of any size in the place of each file that is read here.
var look = reexec.Register("look", func(context.Context, struct{}) (s Sight, err error) {
	files, err := here()
	if err != nil {
		return s, err
	}
	defer files.Close()
	if s.Hostname, err = hostname(); err != nil {
		return s, err
	}
	if s.OS, err = release(files); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if s.Processes, err = processes(files); err != nil {
		return s, err
	}
	s.Listens, err = listeners(files)
	return s, err
})

// here gives the files of this process's own mount namespace, and opens only those that are regular files: it looks first, and opens
// what it has looked at.
func here() (*ns.FS, error) {
	h, err := ns.Current(ns.Mount)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.FS()
}

// hostname asks the kernel, uname(2). A name of 64 bytes has os.Hostname open a file below /proc, whatever is there.
func hostname() (string, error) {
	var name unix.Utsname
	err := unix.Uname(&name)
	return unix.ByteSliceToString(name.Nodename[:]), err
}

// most is how much of a file is read, in bytes.
const most = 4 << 20

// lines calls do with each line of a file.
func lines(files fs.FS, name string, do func(string)) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	scanner := bufio.NewScanner(io.LimitReader(f, most))
	for scanner.Scan() {
		do(scanner.Text())
	}
	return scanner.Err()
}

// release gives the name of the distribution, os-release(5).
func release(files fs.FS) (string, error) {
	values := map[string]string{}
	err := lines(files, "etc/os-release", func(line string) {
		key, value, _ := strings.Cut(line, "=")
		if plain, err := strconv.Unquote(value); err == nil {
			value = plain
		}
		values[key] = value
	})
	if pretty := values["PRETTY_NAME"]; pretty != "" {
		return pretty, err
	}
	return strings.TrimSpace(values["NAME"] + " " + values["VERSION_ID"]), err
}

// processes counts some entries at a time: however many there are, they take no memory.
func processes(files fs.FS) (n int, err error) {
	f, err := files.Open("proc")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	dir, ok := f.(fs.ReadDirFile)
	if !ok {
		return 0, errors.New("/proc is no directory")
	}
	for err == nil {
		var entries []fs.DirEntry
		entries, err = dir.ReadDir(512)
		for _, e := range entries {
			if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
				n++
			}
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// listeners reads what proc_pid_net(5) says of sockets: their local addresses, and their states, in hexadecimal digits.
func listeners(files fs.FS) (list []string, err error) {
	const listen, unconnected = "0A", "07" // TCP_LISTEN, and what a UDP socket without a peer has
	for protocol, state := range map[string]string{"tcp": listen, "tcp6": listen, "udp": unconnected, "udp6": unconnected} {
		err := lines(files, "proc/net/"+protocol, func(line string) {
			const local, st = 1, 3
			if f := strings.Fields(line); len(f) > st && f[st] == state {
				if address, err := parseAddress(f[local]); err == nil {
					list = append(list, strings.TrimSuffix(protocol, "6")+" "+address.String())
				}
			}
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without IPv6
			return nil, err
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
