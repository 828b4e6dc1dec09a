// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// FS returns the files of the mount namespace h. It enters the namespace once, on a thread that ends,
// for which it needs the privilege that setns(2) names; without it the error holds EPERM. /proc has to
// be mounted where the caller is. The caller closes the FS; the Handle may be closed before.
func (h *Handle) FS() (*FS, error) {
	fail := func(err error) (*FS, error) {
		return nil, &Error{Op: "open the files of", Ref: h.ref(), Err: err}
	}
	if t := h.Type(); t != Mount && t != 0 {
		return fail(fmt.Errorf("not a mount namespace: %w", unix.EINVAL))
	}
	tree, err := h.dup()
	if err != nil {
		return fail(err)
	}
	self, err := openPath("/proc/self/fd", unix.PROC_SUPER_MAGIC)
	if err != nil {
		_ = tree.Close()
		return fail(err)
	}
	root, err := Call(func() (*os.File, error) { return openPath("/", 0) }, h)
	if err != nil {
		_ = tree.Close()
		_ = self.Close()
		return nil, err
	}
	return &FS{tree: tree, root: root, self: self, walk: resolve}, nil
}

// openPath opens a directory as a starting point, and checks that it is on a file system of the
// given kind, if that is not 0.
func openPath(path string, magic int64) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	var st unix.Statfs_t
	if err = unix.Fstatfs(fd, &st); err == nil && magic != 0 && int64(st.Type) != magic {
		err = errors.ErrUnsupported
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// Open opens a file, following symbolic links. The fs.File of a directory is an fs.ReadDirFile, that
// of a regular file an io.ReadSeeker and io.ReaderAt.
func (f *FS) Open(name string) (fs.File, error) {
	if f.root == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: os.ErrClosed}
	}
	look, err := f.look("open", name, true)
	if err != nil {
		return nil, err
	}
	info, err := look.Stat()
	if err != nil {
		_ = look.Close()
		return nil, pathError("open", name, err)
	}
	var flags int
	switch info.Mode().Type() {
	case 0:
		flags = unix.O_NONBLOCK | unix.O_NOCTTY
	case fs.ModeDir:
		flags = unix.O_DIRECTORY
	default:
		return &special{look, name}, nil
	}
	// What is opened is what was looked at: the descriptor leads to it, not the name.
	fd, err := f.reopen(look, flags)
	_ = look.Close()
	if err != nil {
		return nil, pathError("open", name, err)
	}
	opened := os.NewFile(uintptr(fd), name)
	if info.IsDir() {
		return &directory{opened, name}, nil
	}
	return &regular{special{opened, name}}, nil
}

func (f *FS) reopen(look *os.File, flags int) (fd int, err error) {
	err = control(f.self, func(self int) error {
		return control(look, func(n int) error {
			fd, err = retry(func() (int, error) {
				return unix.Openat(self, strconv.Itoa(n), unix.O_RDONLY|unix.O_CLOEXEC|flags, 0)
			})
			return err
		})
	})
	return fd, err
}

// Stat describes a file, following symbolic links.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, true) }

// Lstat describes a file. Of a symbolic link it describes the link.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, false) }

func (f *FS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	look, err := f.look(op, name, follow)
	if err != nil {
		return nil, err
	}
	defer look.Close()
	info, err := look.Stat()
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return info, nil
}

// ReadLink returns the text of a symbolic link.
func (f *FS) ReadLink(name string) (string, error) {
	look, err := f.look("readlink", name, false)
	if err != nil {
		return "", err
	}
	defer look.Close()
	var text string
	err = control(look, func(fd int) error {
		text, err = readlink(fd)
		return err
	})
	if err != nil {
		return "", pathError("readlink", name, err)
	}
	return text, nil
}

// ReadDir lists a directory, sorted by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	dir, ok := file.(*directory)
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: unix.ENOTDIR}
	}
	list, err := dir.ReadDir(-1)
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// ReadFile returns what is in a regular file, however much that is. Of a tree that is somebody else's rather Open a file, and read as
// much as is expected.
func (f *FS) ReadFile(name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// look opens name without opening the file itself: O_PATH, open(2).
func (f *FS) look(op, name string, follow bool) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if f.root == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: os.ErrClosed}
	}
	var fd int
	err := control(f.root, func(root int) (err error) {
		fd, err = f.walk(root, name, follow)
		return err
	})
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// control calls g with the descriptor of file, which stays open until g returns.
func control(file *os.File, g func(fd int) error) error {
	c, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := c.Control(func(fd uintptr) { inner = g(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return inner
}

// pathError gives err the name that the caller used, in place of one that it may have.
func pathError(op, name string, err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
