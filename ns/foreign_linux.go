// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Foreign returns those of the types t whose namespace of the pidfd's process is not the calling thread's. Types that the kernel does
// not have are left out. The errors are those of OpenPID.
func Foreign(pidfd *os.File, t Type) (Type, error) {
	// A pidfd of the thread asks the kernel for its namespaces without a look at /proc, since 6.11.
	self, err := unix.PidfdOpen(unix.Gettid(), unix.PIDFD_THREAD)
	if err == nil {
		defer unix.Close(self)
	}
	var foreign Type
	for typ := range t.Each() {
		same, asked := false, false
		if err == nil {
			same, asked = shareByIoctl(pidfd, self, typ)
		}
		if !asked {
			var err error
			if same, err = share(pidfd, typ); err != nil {
				return 0, err
			}
		}
		if !same {
			foreign |= typ
		}
	}
	return foreign, nil
}

// shareByIoctl compares the namespaces of two pidfds, if the kernel can.
func shareByIoctl(theirs *os.File, ours int, t Type) (same, asked bool) {
	c, err := theirs.SyscallConn()
	if err != nil {
		return false, false
	}
	c.Control(func(fd uintptr) {
		var a, b unix.Stat_t
		if exited(int(fd)) || !statByIoctl(int(fd), t, &a) || !statByIoctl(ours, t, &b) {
			return
		}
		same, asked = a.Dev == b.Dev && a.Ino == b.Ino, true
	})
	return same, asked
}

func statByIoctl(pidfd int, t Type, stat *unix.Stat_t) bool {
	fd, err := unix.IoctlRetInt(pidfd, pidfdGet[t])
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Fstat(fd, stat) == nil
}

// share compares by Handles; a type that the kernel does not have is shared by all.
func share(pidfd *os.File, t Type) (bool, error) {
	theirs, err := FromPIDFD(pidfd, t)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer theirs.Close()
	ours, err := Current(t)
	if err != nil {
		return false, err
	}
	defer ours.Close()
	return ours.ID() == theirs.ID(), nil
}
