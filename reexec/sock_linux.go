// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sock is the caller's end of a worker's socket. It waits in the runtime's poller, so that deadlines work.
type sock struct {
	f  *os.File
	rc syscall.RawConn
}

// socketPair makes a stream socket whose ends are both close-on-exec. Theirs is in blocking mode.
func socketPair() (ours *sock, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "call socket of the worker")
	err = unix.SetNonblock(fds[0], true)
	f := os.NewFile(uintptr(fds[0]), "call socket")
	var rc syscall.RawConn
	if err == nil {
		rc, err = f.SyscallConn()
	}
	if err != nil {
		f.Close()
		theirs.Close()
		return nil, nil, err
	}
	return &sock{f, rc}, theirs, nil
}

// MSG_NOSIGNAL: a worker that has ended must not raise SIGPIPE in a caller that asked to be notified of it.

func (s *sock) send(p []byte) (n int, err error) {
	waitErr := s.rc.Write(func(fd uintptr) bool {
		n, err = retry(func() (int, error) { return unix.SendmsgN(int(fd), p, nil, nil, unix.MSG_NOSIGNAL) })
		return err != unix.EAGAIN
	})
	if waitErr != nil {
		return n, waitErr
	}
	return n, os.NewSyscallError("sendmsg", err)
}

func (s *sock) recv(p []byte) (n int, err error) {
	waitErr := s.rc.Read(func(fd uintptr) bool {
		n, err = retry(func() (int, error) { return unix.Read(int(fd), p) })
		return err != unix.EAGAIN
	})
	if waitErr != nil {
		return n, waitErr
	}
	return n, os.NewSyscallError("recvmsg", err)
}

// sendNow sends what the socket takes without waiting, and returns the rest.
func (s *sock) sendNow(parts [][]byte) (rest [][]byte, err error) {
	for len(parts) > 0 {
		var n int
		waitErr := s.rc.Write(func(fd uintptr) bool {
			n, err = retry(func() (int, error) { return unix.SendmsgN(int(fd), parts[0], nil, nil, unix.MSG_NOSIGNAL) })
			return true
		})
		switch {
		case waitErr != nil:
			return nil, waitErr
		case err == unix.EAGAIN:
			return parts, nil
		case err != nil:
			return nil, os.NewSyscallError("sendmsg", err)
		}
		if parts[0] = parts[0][n:]; len(parts[0]) == 0 {
			parts = parts[1:]
		}
	}
	return nil, nil
}

// fdLink is the worker's end of the socket: plain blocking calls, since the runtime's poller costs a start-up more than it
// brings.
type fdLink int

func (l fdLink) send(p []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.SendmsgN(int(l), p, nil, nil, unix.MSG_NOSIGNAL) })
	return n, os.NewSyscallError("sendmsg", err)
}

func (l fdLink) recv(p []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.Read(int(l), p) })
	return n, os.NewSyscallError("recvmsg", err)
}

// retry repeats a system call that a signal interrupted.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err == unix.EINTR {
			continue
		}
		return max(n, 0), err
	}
}
