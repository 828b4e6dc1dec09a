// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// line is our end of the socket that a plan goes over, and the reports of the program that takes its steps.
type line struct {
	fd   int      // in blocking mode until slow is there
	slow *os.File // fd, known to the runtime's poller; nil as long as no report has taken long
}

// shortWait is how long a report is waited for on the caller's own thread. An ordinary start takes one or two milliseconds, in which the
// poller's thread would be woken up twice.
var shortWait = unix.Timeval{Usec: 5000}

// newLine returns our end of a socket, and the number of the other, which is close-on-exec too.
func newLine() (*line, int, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, os.NewSyscallError("socketpair", err)
	}
	if err := unix.SetsockoptTimeval(fds[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &shortWait); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, -1, os.NewSyscallError("setsockopt", err)
	}
	return &line{fd: fds[0]}, fds[1], nil
}

// send sends the plan ahead of the program that will receive it.
func (l *line) send(message []byte, files []*os.File) error {
	return withDescriptors(files, nil, func(fds []int) error {
		var rights []byte
		if len(fds) > 0 {
			rights = unix.UnixRights(fds...)
		}
		return os.NewSyscallError("sendmsg", unix.Sendmsg(l.fd, message, rights, nil, unix.MSG_NOSIGNAL))
	})
}

// askForSenders has the kernel tell who sends a report, SO_PASSCRED in unix(7): behind a relay that is no child of ours.
func (l *line) askForSenders() error {
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1))
}

// receive reads one report, by the deadline, with the pid of its sender if that was asked for. The end of the program's end is io.EOF.
func (l *line) receive(report []byte, deadline time.Time) (n, sender int, err error) {
	for l.slow == nil {
		n, sender, err = receiveFrom(l.fd, report)
		if err != unix.EAGAIN {
			return n, sender, err
		}
		if err := unix.SetNonblock(l.fd, true); err != nil {
			return 0, 0, os.NewSyscallError("fcntl", err)
		}
		l.slow = os.NewFile(uintptr(l.fd), "plan")
	}
	l.slow.SetReadDeadline(deadline)
	conn, err := l.slow.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var received error
	err = conn.Read(func(fd uintptr) bool {
		n, sender, received = receiveFrom(int(fd), report)
		return received != unix.EAGAIN
	})
	if err == nil {
		err = received
	}
	return n, sender, err
}

func receiveFrom(fd int, report []byte) (n, sender int, err error) {
	var control [64]byte // more than a struct ucred takes
	controls := 0
	for {
		n, controls, _, _, err = unix.Recvmsg(fd, report, control[:], unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			break
		}
	}
	switch {
	case err == unix.EAGAIN:
		return 0, 0, err
	case err != nil:
		return 0, 0, os.NewSyscallError("recvmsg", err)
	case n == 0:
		return 0, 0, io.EOF
	}
	messages, err := unix.ParseSocketControlMessage(control[:controls])
	if err != nil {
		return 0, 0, err
	}
	for i := range messages {
		if who, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
			sender = int(who.Pid)
		}
	}
	return n, sender, nil
}

// answer tells the program to go on. If it is gone, the next receive says so.
func (l *line) answer() {
	unix.Sendto(l.fd, []byte{0}, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, nil)
}

// hold keeps the socket open until the other end is closed, in the background: its end is what tells a relay that we are gone.
func (l *line) hold() {
	go func() {
		defer l.close()
		var report [reportSize]byte
		for {
			if _, _, err := l.receive(report[:], time.Time{}); err != nil {
				return
			}
		}
	}()
}

// shut ends what the other end waits for.
func (l *line) shut() { unix.Shutdown(l.fd, unix.SHUT_RDWR) }

func (l *line) close() {
	if l.slow != nil {
		l.slow.Close()
	} else {
		unix.Close(l.fd)
	}
}

// withDescriptors calls f with the descriptors of the files, which stay open meanwhile whatever else happens to the files.
func withDescriptors(files []*os.File, fds []int, f func(fds []int) error) error {
	if len(files) == 0 {
		return f(fds)
	}
	conn, err := files[0].SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = conn.Control(func(fd uintptr) {
		inner = withDescriptors(files[1:], append(fds, int(fd)), f)
	})
	if err != nil { // the one reason that there is
		return fmt.Errorf("%s: %w", files[0].Name(), os.ErrClosed)
	}
	return inner
}
