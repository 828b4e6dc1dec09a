// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Pin makes the namespace outlive every process and descriptor: it bind-mounts it on path, a file
// that it creates, in the mount namespace of the calling thread. Other programs enter it from there:
// "nsenter --net=path", and "ip netns exec blue" if path is in RunNetns, which Pin then makes as
// ip-netns(8) does, shared, so that the name is seen in other mount namespaces too.
//
// What exists at path stays as it is, and the error holds fs.ErrExist; but an empty file that a Pin
// left when it was killed half-way is used. If Pin fails, it leaves nothing. It needs CAP_SYS_ADMIN
// over the mount namespace. The kernel refuses, with EINVAL, to pin a mount namespace in itself, in a
// newer one, or on a mount shared with one: namespaces could keep each other alive for ever.
// A pid namespace needs a living first process none the less.
func (h *Handle) Pin(path string) error {
	var err error
	if cerr := h.control(func(fd int) { err = pin(fd, path) }); cerr != nil {
		err = cerr
	}
	if err != nil {
		return &Error{Op: "pin", Ref: path, Err: err}
	}
	return nil
}

// Unpin undoes Pin: it unmounts the namespace from path, and removes the file. The namespace then
// lives as long as something else keeps it. If path is no pin, the error holds ErrNotNamespace, and
// path is left alone.
func Unpin(path string) error {
	if err := unpin(path); err != nil {
		return &Error{Op: "unpin", Ref: path, Err: err}
	}
	return nil
}

func pin(fd int, path string) error {
	if filepath.Dir(path) == RunNetns {
		if err := shareRunNetns(); err != nil {
			return err
		}
	}
	at, err := createMark(path)
	if err != nil {
		return err
	}
	defer unix.Close(at)
	// Both ends are descriptors, so that neither can be swapped: mount(2) follows the links.
	if err := unix.Mount(selfFD(fd), selfFD(at), "", unix.MS_BIND, ""); err != nil {
		return errors.Join(fmt.Errorf("bind mount: %w", err), unix.Unlink(path))
	}
	return nil
}

func selfFD(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// A mark is the file that a pin is mounted on: empty, and of a mode that nobody else gives to an
// empty file. It is locked while Pin works on it, flock(2): a mark that is neither locked nor mounted
// on is what a Pin left when it was killed.
const markMode = 0o400

// createMark creates the mark at path, or takes over one that was left, and returns it locked.
func createMark(path string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW
	fd, err := retry(func() (int, error) {
		return unix.Open(path, flags|unix.O_CREAT|unix.O_EXCL, markMode)
	})
	if err == nil {
		// Without a lock the mark is only less protected, as on a file system that has none.
		_ = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		return fd, nil
	}
	if err != unix.EEXIST {
		return -1, err
	}
	fd, err = openMark(path)
	if err != nil {
		return -1, unix.EEXIST
	}
	return fd, nil
}

// openMark opens a mark that was left, and locks it. Nothing else is opened.
func openMark(path string) (int, error) {
	look, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(look)
	var st unix.Stat_t
	if err := unix.Fstat(look, &st); err != nil {
		return -1, err
	}
	if st.Mode != unix.S_IFREG|markMode || st.Size != 0 || isNSFS(look) == nil {
		return -1, ErrNotNamespace
	}
	fd, err := unix.Open(selfFD(look), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func unpin(path string) error {
	mounted := false
	for {
		look, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
		if err != nil {
			return err
		}
		err = isNSFS(look)
		unix.Close(look)
		if err == ErrNotNamespace {
			break
		}
		if err != nil {
			return err
		}
		if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount: %w", err)
		}
		mounted = true
	}
	if !mounted {
		fd, err := openMark(path)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
	}
	return unix.Unlink(path)
}

// shareRunNetns makes RunNetns a shared mount, as ip-netns(8) does and under the same lock: a mount in
// a directory that is private in one mount namespace is seen in no other, mount_namespaces(7).
func shareRunNetns() error {
	if err := os.MkdirAll(RunNetns, 0o755); err != nil {
		return err
	}
	dir, err := os.Open(RunNetns)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", RunNetns, err)
	}
	err = unix.Mount("", RunNetns, "none", unix.MS_SHARED|unix.MS_REC, "")
	if err == unix.EINVAL { // not a mount yet
		err = unix.Mount(RunNetns, RunNetns, "none", unix.MS_BIND|unix.MS_REC, "")
		if err == nil {
			err = unix.Mount("", RunNetns, "none", unix.MS_SHARED|unix.MS_REC, "")
		}
	}
	if err != nil {
		return fmt.Errorf("share %s: %w", RunNetns, err)
	}
	return nil
}
