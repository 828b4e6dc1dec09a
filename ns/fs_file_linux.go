// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// special is a file that is neither regular nor a directory. It was not opened, only looked at.
type special struct {
	file *os.File
	name string
}

func (s *special) Stat() (fs.FileInfo, error) { return s.file.Stat() }

func (s *special) Close() error { return s.file.Close() }

func (s *special) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: s.name, Err: fmt.Errorf("neither file nor directory: %w", unix.ENODEV)}
}

// regular is an open regular file. Its reads call read(2) themselves: os.File would wait where it
// says EAGAIN, as some files of proc(5) do.
type regular struct{ special }

func (r *regular) Read(p []byte) (int, error) {
	return r.read(p, func(fd int) (int, error) { return unix.Read(fd, p) })
}

// ReadAt reads from offset off, io.ReaderAt.
func (r *regular) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.read(p[n:], func(fd int) (int, error) { return unix.Pread(fd, p[n:], off+int64(n)) })
		n += m
	}
	return n, err
}

// Seek sets the offset for the next Read, io.Seeker.
func (r *regular) Seek(offset int64, whence int) (int64, error) { return r.file.Seek(offset, whence) }

func (r *regular) read(p []byte, call func(fd int) (int, error)) (int, error) {
	var n int
	err := control(r.file, func(fd int) (err error) {
		n, err = retry(func() (int, error) { return call(fd) })
		return err
	})
	if err != nil {
		return 0, pathError("read", r.name, err)
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// directory is an open directory.
type directory struct {
	file *os.File
	name string
}

func (d *directory) Stat() (fs.FileInfo, error) { return d.file.Stat() }

func (d *directory) Close() error { return d.file.Close() }

func (d *directory) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: unix.EISDIR}
}

// ReadDir lists the next n entries, or all that are left, fs.ReadDirFile. The entries know what they
// are from the open directory: os.File would look for them by path, in the caller's tree.
func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	names, err := d.file.Readdirnames(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = pathError("readdir", d.name, err)
	}
	list := make([]fs.DirEntry, 0, len(names))
	for _, name := range names {
		info, serr := d.lstat(name)
		if errors.Is(serr, fs.ErrNotExist) {
			continue // removed since
		}
		if serr != nil {
			return list, pathError("readdir", d.name, serr)
		}
		list = append(list, fs.FileInfoToDirEntry(info))
	}
	return list, err
}

func (d *directory) lstat(name string) (info fs.FileInfo, err error) {
	err = control(d.file, func(dir int) error {
		fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		f := os.NewFile(uintptr(fd), name)
		defer f.Close()
		info, err = f.Stat()
		return err
	})
	return info, err
}
