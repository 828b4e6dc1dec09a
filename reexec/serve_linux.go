// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"os"

	"golang.org/x/sys/unix"
)

// exitOrphaned is the exit status of a worker that cannot answer: its caller is gone, or the function closed its socket.
const exitOrphaned = 124

// serve answers the calls that come over fd. It returns when there will be no more.
func serve(fd int) error {
	c := newConn(fdLink(fd))
	socket := inode(fd)
	var before state
	for first := true; ; first = false {
		q, err := c.readRequest()
		if gone(err) {
			os.Exit(exitOrphaned)
		}
		if err != nil {
			return err
		}
		if first {
			go watch(fd)
		}
		if first && !q.once {
			before = firstLook()
		}
		send := func(m *message, h header) {
			if inode(fd) != socket || c.sendAll(m.parts(nil, h)) != nil {
				os.Exit(exitOrphaned)
			}
			m.close()
		}
		if q.once {
			answerOnce(c, q, send)
			return nil
		}
		m, h := q.execute(c)
		if h.kind == kindResult && before.changed() {
			h.flags |= flagDirty
		}
		send(m, h)
	}
}

// answerOnce answers the only call of this process, on this goroutine: another would cost two switches of threads.
func answerOnce(c *conn, q *request, send func(*message, header)) {
	answered := false
	defer func() {
		if !answered { // runtime.Goexit, which goes on to end this goroutine
			send(newFailure(StageRun, ErrGoexit).message(), header{kind: kindFail})
			os.Exit(0)
		}
	}()
	m, h := q.execute(c)
	answered = true
	send(m, h)
}

// watch ends this process when its caller has closed the other end of the socket, as by dying. It reads nothing, so it needs
// no agreement with whoever reads. A death signal (PR_SET_PDEATHSIG) would not do: it fires when the thread that started
// this process ends, and Go's threads come and go.
func watch(fd int) {
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, -1)
		if n > 0 {
			os.Exit(exitOrphaned)
		}
		if err != unix.EINTR {
			return
		}
	}
}

// inode identifies what fd is now: a function may have closed the socket and opened something else under its number.
func inode(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}
