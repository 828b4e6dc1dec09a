// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"errors"
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

func (s *sock) send(p []byte, fds []int) (n int, err error) {
	waitErr := s.rc.Write(func(fd uintptr) bool {
		n, err = sendmsg(int(fd), p, fds)
		return err != unix.EAGAIN
	})
	if waitErr != nil {
		return n, waitErr
	}
	return n, os.NewSyscallError("sendmsg", err)
}

// recvSpin is how long recv waits on the caller's own thread, in milliseconds, before it leaves that to the runtime's poller: for
// an ordinary call that saves two switches of threads.
const recvSpin = 3

func (s *sock) recv(p []byte) (n int, fds []int, err error) {
	spun := false
	waitErr := s.rc.Read(func(fd uintptr) bool {
		if !spun {
			spun = true
			unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, recvSpin)
		}
		n, fds, err = recvmsg(int(fd), p)
		return err != unix.EAGAIN
	})
	if waitErr != nil {
		return n, fds, waitErr
	}
	return n, fds, os.NewSyscallError("recvmsg", err)
}

// sendNow sends what the socket takes without waiting, and returns the rest.
func (s *sock) sendNow(parts []part) (rest []part, err error) {
	for len(parts) > 0 {
		p := &parts[0]
		var n int
		waitErr := s.rc.Write(func(fd uintptr) bool {
			n, err = sendmsg(int(fd), p.b, p.fds)
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
		p.fds = nil
		if p.b = p.b[n:]; len(p.b) == 0 {
			parts = parts[1:]
		}
	}
	return nil, nil
}

// fdLink is the worker's end of the socket: plain blocking calls, since the runtime's poller costs a start-up more than it
// brings.
type fdLink int

func (l fdLink) send(p []byte, fds []int) (int, error) {
	n, err := sendmsg(int(l), p, fds)
	return n, os.NewSyscallError("sendmsg", err)
}

func (l fdLink) recv(p []byte) (int, []int, error) {
	n, fds, err := recvmsg(int(l), p)
	return n, fds, os.NewSyscallError("recvmsg", err)
}

// sendmsg sends some of p. MSG_NOSIGNAL: a worker that has ended must not raise SIGPIPE in a caller that asked to be notified
// of that signal.
func sendmsg(fd int, p []byte, fds []int) (int, error) {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		n, err := unix.SendmsgN(fd, p, rights, nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// recvmsg receives some bytes, and the descriptors that are with them: at most those of one sendmsg, since a read never goes
// beyond it (unix(7)).
func recvmsg(fd int, p []byte) (int, []int, error) {
	var space [24 + 4*(maxFDs+3)]byte
	for {
		n, oobn, flags, _, err := unix.Recvmsg(fd, p, space[:], unix.MSG_CMSG_CLOEXEC)
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
		if flags&unix.MSG_CTRUNC != 0 { // the kernel had no number left, and dropped some
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
