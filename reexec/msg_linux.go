// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// sendmsg sends some of p. MSG_NOSIGNAL: a worker that has ended must not raise SIGPIPE in a caller that asked to be notified
// of that signal.
func sendmsg(fd int, p []byte, fds []int, flags int) (int, error) {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		n, err := unix.SendmsgN(fd, p, rights, nil, flags|unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// recvmsg receives some bytes, and the descriptors that are with them: at most those of one sendmsg, since a read never goes
// beyond it (unix(7)).
func recvmsg(fd int, p []byte, flags int) (int, []int, error) {
	var space [24 + 4*(maxFDs+3)]byte
	for {
		n, oobn, got, _, err := unix.Recvmsg(fd, p, space[:], flags|unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil || oobn == 0 {
			return max(n, 0), nil, err
		}
		var fds []int
		messages, err := unix.ParseSocketControlMessage(space[:oobn])
		for _, m := range messages {
			some, rightsErr := unix.ParseUnixRights(&m)
			err = errors.Join(err, rightsErr)
			fds = append(fds, some...)
		}
		if got&unix.MSG_CTRUNC != 0 { // the kernel had no number left, and dropped some
			err = errors.Join(err, unix.EMFILE)
		}
		return n, fds, err
	}
}

func duplicate(fd int) (int, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	return dup, os.NewSyscallError("fcntl", err)
}

func closeDescriptor(fd int) { unix.Close(fd) }
