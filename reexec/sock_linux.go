// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sock is the caller's end of a worker's socket. A read first waits on the caller's own thread: for an ordinary call that is
// cheaper than the runtime's poller, whose thread would be woken by every frame. Only what takes longer goes to the poller,
// so that a call of any length holds a thread for no more than a moment.
type sock struct {
	fd int // in blocking mode; a read gives up after blockTime

	slowly func() // is called by the first read that takes long, if it is set

	mu       sync.Mutex
	closed   bool
	slow     *os.File // a copy of fd that the poller knows; nil as long as nothing has taken long
	deadline time.Time
}

// blockTime is how long a read holds a thread. A cold call takes about two milliseconds.
var blockTime = unix.Timeval{Usec: 5000}

// socketPair makes a stream socket whose ends are both close-on-exec, and in blocking mode.
func socketPair() (ours *sock, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours = &sock{fd: fds[0]}
	if err := unix.SetsockoptTimeval(ours.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &blockTime); err != nil {
		ours.close()
		unix.Close(fds[1])
		return nil, nil, os.NewSyscallError("setsockopt", err)
	}
	return ours, os.NewFile(uintptr(fds[1]), "call socket"), nil
}

func (s *sock) recv(p []byte) (n int, fds []int, err error) {
	n, fds, err = recvmsg(s.fd, p, 0)
	if err == unix.EAGAIN {
		if s.slowly != nil {
			s.slowly()
			s.slowly = nil
		}
		var rc syscall.RawConn
		if rc, err = s.poller(); err != nil {
			return 0, nil, err
		}
		waitErr := rc.Read(func(fd uintptr) bool {
			n, fds, err = recvmsg(int(fd), p, unix.MSG_DONTWAIT)
			return err != unix.EAGAIN
		})
		if waitErr != nil {
			return 0, nil, waitErr
		}
	}
	return n, fds, os.NewSyscallError("recvmsg", err)
}

func (s *sock) send(p []byte, fds []int) (n int, err error) {
	n, err = sendmsg(s.fd, p, fds, unix.MSG_DONTWAIT)
	if err == unix.EAGAIN {
		var rc syscall.RawConn
		if rc, err = s.poller(); err != nil {
			return 0, err
		}
		waitErr := rc.Write(func(fd uintptr) bool {
			n, err = sendmsg(int(fd), p, fds, unix.MSG_DONTWAIT)
			return err != unix.EAGAIN
		})
		if waitErr != nil {
			return 0, waitErr
		}
	}
	return n, os.NewSyscallError("sendmsg", err)
}

// poller gives the copy of the socket that the runtime's poller knows.
func (s *sock) poller() (syscall.RawConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, os.ErrClosed
	}
	if s.slow == nil {
		fd, err := duplicate(s.fd)
		if err != nil {
			return nil, err
		}
		// os.NewFile gives the poller what is in non-blocking mode at that time. The mode is one for all copies.
		err = unix.SetNonblock(fd, true)
		f := os.NewFile(uintptr(fd), "call socket")
		if err = errors.Join(err, unix.SetNonblock(fd, false)); err != nil {
			f.Close()
			return nil, os.NewSyscallError("fcntl", err)
		}
		s.slow = f
		if !s.deadline.IsZero() {
			f.SetDeadline(s.deadline)
		}
	}
	return s.slow.SyscallConn()
}

// giveUp has everything that waits on the socket fail at that time.
func (s *sock) giveUp(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = at
	if s.slow != nil {
		s.slow.SetDeadline(at)
	}
}

// rest takes the socket of an idle worker away from the poller.
func (s *sock) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slow != nil {
		s.slow.Close()
		s.slow = nil
	}
}

// noMore has reads find the end, behind what has been sent: the other end may be open in a process that is not the worker.
func (s *sock) noMore() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		unix.Shutdown(s.fd, unix.SHUT_RD)
	}
}

// close closes the socket, unless it is. Nobody may be reading or writing.
func (s *sock) close() {
	s.rest()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		unix.Close(s.fd)
	}
}

// silent reports whether the other end is open, and has sent nothing.
func (s *sock) silent() bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(s.fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == unix.EAGAIN
}

// sendNow sends what the socket takes without waiting, and returns the rest.
func (s *sock) sendNow(parts []part) (rest []part, err error) {
	for len(parts) > 0 {
		p := &parts[0]
		n, err := sendmsg(s.fd, p.b, p.fds, unix.MSG_DONTWAIT)
		if err == unix.EAGAIN {
			return parts, nil
		}
		if err != nil {
			return nil, os.NewSyscallError("sendmsg", err)
		}
		p.fds = nil
		if p.b = p.b[n:]; len(p.b) == 0 {
			parts = parts[1:]
		}
	}
	return nil, nil
}

// fdLink is the worker's end of the socket.
type fdLink int

func (l fdLink) send(p []byte, fds []int) (int, error) {
	n, err := sendmsg(int(l), p, fds, 0)
	return n, os.NewSyscallError("sendmsg", err)
}

func (l fdLink) recv(p []byte) (int, []int, error) {
	n, fds, err := recvmsg(int(l), p, 0)
	return n, fds, os.NewSyscallError("recvmsg", err)
}
