// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// New creates namespaces as the Spec says, and opens them. No thread of the caller moves: the
// namespaces are made by a thread that ends, or, if user or pid is among the types, by a child
// process that this package carries along: a static program of some hundred bytes, which executes no
// code of the caller's, needs nothing of it, and ends with the caller. In a new mount namespace no
// mount is shared with the old one.
//
// The caller closes the Set. A pid namespace lives until then, the others as long as anything keeps
// them. Without the right to create, the error holds EPERM; at a limit of namespaces(7) ENOSPC.
func New(s Spec) (*Set, error) {
	fail := func(err error) (*Set, error) {
		return nil, &Error{Op: "create", Ref: s.Types.String(), Err: err}
	}
	switch {
	case s.Types == 0:
		return new(Set), nil
	case s.Types&^All != 0,
		len(s.UIDMap)+len(s.GIDMap) > 0 && !s.Types.Has(User),
		s.Monotonic|s.Boottime != 0 && !s.Types.Has(Time):
		return fail(unix.EINVAL)
	}
	var set *Set
	var err error
	if s.Types&(User|PID) == 0 {
		set, err = newByThread(s)
	} else {
		set, err = newByChild(s)
	}
	if err != nil {
		return fail(err)
	}
	return set, nil
}

// newByThread makes the namespaces on a thread that ends. unshare(2) moves it into all but the time
// namespace, which is that of its children.
func newByThread(s Spec) (*Set, error) {
	v, err := newVisit(nil)
	if err != nil {
		return nil, err
	}
	v.doomed = true
	set := new(Set)
	err = v.do(func() error {
		if err := unix.Unshare(int(s.Types)); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		if s.Types.Has(Mount) {
			if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return fmt.Errorf("make mounts private: %w", err)
			}
		}
		if s.Types.Has(Time) {
			// The file is there under the number of any thread, but not in /proc/thread-self.
			self, err := os.Readlink("/proc/thread-self")
			if err == nil {
				err = s.writeOffsets("/proc/" + filepath.Base(self))
			}
			if err != nil {
				return err
			}
		}
		pidfd, err := unix.PidfdOpen(unix.Gettid(), unix.PIDFD_THREAD)
		if err != nil {
			pidfd = -1
		} else {
			defer unix.Close(pidfd)
		}
		return set.open(s.Types, pidfd, "/proc/thread-self")
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}

// open opens the namespaces of a process or thread, given by a pidfd, and by its proc directory for
// when the kernel cannot do with the pidfd.
func (s *Set) open(types Type, pidfd int, proc string) error {
	for t := range types.Each() {
		req, file := pidfdGet[t], t.String()
		if t == Time {
			req, file = unix.PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE, "time_for_children"
		}
		name := "new " + t.String()
		var f *os.File
		fd, err := unix.IoctlRetInt(pidfd, req)
		if err == nil {
			f = os.NewFile(uintptr(fd), name)
		} else {
			f, err = openAt(unix.AT_FDCWD, proc+"/ns/"+file, name)
		}
		h, err := adopt(f, name, err)
		if err != nil {
			_ = s.Close()
			return err
		}
		s.handles = append(s.handles, h)
	}
	return nil
}

// writeOffsets sets the clocks of the time namespace that the children of the process with the
// directory proc will be in. It has to happen before the first is, time_namespaces(7).
func (s Spec) writeOffsets(proc string) error {
	if s.Monotonic|s.Boottime == 0 {
		return nil
	}
	text := offset("monotonic", s.Monotonic) + offset("boottime", s.Boottime)
	return os.WriteFile(proc+"/timens_offsets", []byte(text), 0)
}

func offset(clock string, d time.Duration) string {
	sec, nsec := d/time.Second, d%time.Second
	if nsec < 0 {
		sec, nsec = sec-1, nsec+time.Second
	}
	return fmt.Sprintf("%s %d %d\n", clock, sec, nsec)
}
