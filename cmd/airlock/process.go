// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// process is the target. Its /proc directory is held open: its files are this process's also when another gets its number.
type process struct {
	pid     int
	proc    string // where its directory is
	foreign bool   // the pid is not one of our PID namespace, but of a /proc from elsewhere
	dir     *os.File
}

// openProcess opens the process that spec names: a pid, with the inode of its pidfd behind a colon perhaps, which must then be so.
func openProcess(proc, spec string) (*process, error) {
	number, inode, identified := strings.Cut(spec, ":")
	pid, err := strconv.Atoi(number)
	if err != nil || pid <= 0 {
		return nil, fmt.Errorf("--target %q is no pid", spec)
	}
	proc = strings.TrimRight(proc, "/")
	dir, err := os.OpenFile(proc+"/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, noProcess(proc, pid)
	}
	if err != nil {
		return nil, err
	}
	if proc != "/proc" {
		if err := onProc(dir); err != nil {
			return nil, err
		}
	}
	p := &process{pid, proc, isForeign(proc), dir}
	if identified {
		if err := p.checkInode(inode); err != nil {
			return nil, fmt.Errorf("--target %s: %w", spec, err)
		}
	}
	return p, nil
}

// isForeign reports whether that proc file system is not of our PID namespace: it knows us by another number, or not at all.
func isForeign(proc string) bool {
	var self [16]byte
	n, err := unix.Readlink(proc+"/self", self[:])
	return err != nil || string(self[:n]) != strconv.Itoa(unix.Getpid())
}

// noProcess says why there may be none: a /proc that is not there, or that knows others.
func noProcess(proc string, pid int) error {
	var fs unix.Statfs_t
	if unix.Statfs(proc, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("--target %d: no proc file system is mounted at %s: see --proc", pid, proc)
	}
	return fmt.Errorf("--target %d: there is no such process", pid)
}

func onProc(f *os.File) error {
	var fs unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &fs)
	if err == nil && fs.Type != unix.PROC_SUPER_MAGIC {
		err = errors.New("not a proc file system")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

// alive fails when the process has been reaped. Before that no other process has its number, so what was opened by that number, the
// pidfd among it, is this process's.
func (p *process) alive() error {
	if unix.Faccessat(int(p.dir.Fd()), "stat", unix.F_OK, 0) != nil {
		return noProcess(p.proc, p.pid)
	}
	return nil
}

// pidfd opens one, pidfd_open(2), which alive vouches for.
func (p *process) pidfd() (int, error) {
	if p.foreign {
		return -1, fmt.Errorf("process %d is known to %s and not to our PID namespace: it cannot be taken hold of", p.pid, p.proc)
	}
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return -1, fmt.Errorf("--target %d: pidfd_open: %w", p.pid, err)
	}
	return fd, nil
}

// namespace opens a namespace of the process.
func (p *process) namespace(t ns.Type) (*ns.Handle, error) {
	f, err := p.open("ns/"+t.String(), unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ns.FromFile(f)
}

// checkInode compares the inode number of the process in pidfs, Linux 6.9, which no later process has again.
func (p *process) checkInode(want string) error {
	fd, err := p.pidfd()
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
	path := fmt.Sprintf("%s/%d/%s", p.proc, p.pid, name)
	fd, err := unix.Openat(int(p.dir.Fd()), name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, p.explain(&os.PathError{Op: "open", Path: path, Err: err})
	}
	return os.NewFile(uintptr(fd), path), nil
}

// read returns the text of a file.
func (p *process) read(name string) (string, error) {
	f, err := p.open(name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var b strings.Builder
	_, err = f.WriteTo(&b)
	return b.String(), err
}

func (p *process) environ() ([]string, error) {
	text, err := p.read("environ")
	variables := []string{} // nil would be ours
	for v := range strings.SplitSeq(text, "\x00") {
		if v != "" {
			variables = append(variables, v)
		}
	}
	return variables, err
}
