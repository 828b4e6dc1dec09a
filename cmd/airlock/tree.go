// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// tree is the file tree below the root directory that the program will have. It may be a stranger's: symbolic links and ".." stay
// below that directory, RESOLVE_IN_ROOT in openat2(2), and only regular files are opened.
type tree struct {
	root *os.File
}

// openTree takes hold of the program's files: those below its new root, those of the target whose mount namespace it enters, or ours. A mount
// namespace that is known by its file alone shows its files to nobody outside.
func (r *request) openTree(target *process, root *os.File, mounts bool) (tree, error) {
	var err error
	switch {
	case root != nil:
	case !mounts:
		root, err = openDirectory("/")
	case target != nil && r.files[ns.Mount] == "":
		root, err = target.directory("root")
	default:
		err = fmt.Errorf("the files in %s are not to be seen from outside: give a --target", r.files[ns.Mount])
	}
	return tree{root}, err
}

// look opens a file without opening it for anything, O_PATH.
func (t tree) look(path string) (*os.File, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(int(t.root.Fd()), path, &how)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: t.root.Name() + path, Err: err}
	}
	return os.NewFile(uintptr(fd), t.root.Name()+path), nil
}

// most bounds what is read of a file.
const most = 1 << 20

// read returns what is in a regular file. What is opened is what was looked at: the descriptor leads to it, not the path.
func (t tree) read(path string) ([]byte, error) {
	look, err := t.look(path)
	if err != nil {
		return nil, err
	}
	defer look.Close()
	if info, err := look.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: look.Name(), Err: unix.EINVAL}
	}
	f, err := os.Open("/proc/self/fd/" + strconv.Itoa(int(look.Fd())))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// executable reports whether a regular file is there that somebody may execute.
func (t tree) executable(path string) bool {
	look, err := t.look(path)
	if err != nil {
		return false
	}
	defer look.Close()
	info, err := look.Stat()
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
