// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"strings"

	"golang.org/x/sys/unix"
)

// resolve lets the kernel resolve a name, openat2(2), since Linux 5.6.
func resolve(root int, name string, follow bool) (int, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	if !follow {
		how.Flags |= unix.O_NOFOLLOW
	}
	// EAGAIN says that a rename was under way and the kernel is not sure: a tree that is kept in
	// motion must not keep us for ever.
	for range 128 {
		fd, err := unix.Openat2(root, name, &how)
		switch err {
		case unix.EAGAIN, unix.EINTR:
			continue
		case unix.ENOSYS, unix.EPERM: // an older kernel, or a seccomp filter that does not know the call
			return stepwise(root, name, follow)
		}
		return fd, err
	}
	return -1, unix.EAGAIN
}

// maxLinks is how many symbolic links a name may lead through, path_resolution(7). maxDepth is how
// many directories stepwise holds open: a hostile tree must not use up all descriptors.
const (
	maxLinks = 40
	maxDepth = 256
)

// stepwise resolves a name one element at a time. It never opens ".." and never follows a link by the
// kernel: the way up is the way that it came, and a link is its text, read again from the root if it
// is absolute. So no rename and no magic link leads out.
func stepwise(root int, name string, follow bool) (int, error) {
	first, err := unix.Openat(root, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	way := []int{first}
	defer func() {
		for _, fd := range way {
			unix.Close(fd)
		}
	}()
	up := func(to int) {
		for len(way) > to {
			unix.Close(way[len(way)-1])
			way = way[:len(way)-1]
		}
	}
	links := 0
	for left := strings.Split(name, "/"); len(left) > 0; {
		element := left[0]
		left = left[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			up(max(1, len(way)-1))
			continue
		}
		fd, err := unix.Openat(way[len(way)-1], element, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, err
		}
		way = append(way, fd)
		if len(way) > maxDepth {
			return -1, unix.ENAMETOOLONG
		}
		text, err := readlink(fd)
		if err != nil || len(left) == 0 && !follow {
			continue // no link: if it should be a directory and is none, the next step says so
		}
		if links++; links > maxLinks {
			return -1, unix.ELOOP
		}
		up(len(way) - 1)
		if strings.HasPrefix(text, "/") {
			up(1)
		}
		left = append(strings.Split(text, "/"), left...)
	}
	fd := way[len(way)-1]
	way = way[:len(way)-1]
	return fd, nil
}

// readlink returns the text of the symbolic link that fd has open, O_PATH, readlinkat(2).
func readlink(fd int) (string, error) {
	for size := 256; ; size *= 2 {
		b := make([]byte, size)
		n, err := unix.Readlinkat(fd, "", b)
		if err == unix.ENOENT {
			err = unix.EINVAL // no link, as readlink(2) says
		}
		if err != nil {
			return "", err
		}
		if n < size {
			return string(b[:n]), nil
		}
	}
}
