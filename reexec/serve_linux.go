// SPDX-License-Identifier: Apache-2.0

package reexec

import "golang.org/x/sys/unix"

// exitOrphaned is the exit status of a worker that cannot answer: its caller is gone, or the function closed its socket.
const exitOrphaned = 124

// server is this process as its caller sees it.
type server struct {
	conn   *conn
	fd     int
	socket uint64 // the inode of the socket that fd should be
	state  state  // of the process, before the next call
	over   chan error
}

// serve answers the calls that come over the socket. It returns when there will be no more.
func (c *callee) serve() error {
	fd, err := c.socket()
	if err != nil {
		return err
	}
	c.cover.leave()
	s := &server{conn: newConn(fdLink(fd)), fd: fd, socket: inode(fd), over: make(chan error, 1)}
	q, err := s.request()
	if err != nil {
		return err
	}
	go watch(fd)
	if q.once { // on this goroutine: another would cost two switches of threads
		s.answer(q)
		return nil
	}
	go s.turns(q)
	return <-s.over
}

// turns answers calls, q first. It ends, and another goroutine goes on, where the function has locked this one to its thread:
// a locked goroutine takes the thread with it. So does runtime.Goexit, which ends nothing else.
func (s *server) turns(q *request) {
	defer func() { go s.turns(nil) }()
	if q != nil {
		s.state = firstLook()
		s.answer(q)
	}
	for fresh := q == nil; fresh || !locked(); fresh = false {
		q, err := s.request()
		if err != nil {
			s.over <- err
			select {}
		}
		s.answer(q)
	}
}

// request reads the next call. Where the caller is gone the process ends.
func (s *server) request() (*request, error) {
	q, err := s.conn.readRequest()
	if gone(err) {
		exit(exitOrphaned)
	}
	return q, err
}

// answer runs the function of q and sends what comes of it.
func (s *server) answer(q *request) {
	answered := false
	defer func() {
		if answered {
			return
		}
		s.send(newFailure(StageRun, ErrGoexit).message(), header{kind: kindFail}) // which goes on to end this goroutine
		if q.once {
			exit(0)
		}
	}()
	m, h := q.execute(s.conn)
	if h.kind == kindResult && !q.once && s.state.change() {
		h.flags |= flagDirty
	}
	answered = true
	s.send(m, h)
}

// send sends an answer, unless the function has closed the socket.
func (s *server) send(m *message, h header) {
	if inode(s.fd) != s.socket || s.conn.sendAll(m.parts(nil, h)) != nil {
		exit(exitOrphaned)
	}
	m.close()
}

// watch ends this process when its caller has closed the other end of the socket, as by dying. It reads nothing, so it needs
// no agreement with whoever reads. A death signal (PR_SET_PDEATHSIG) would not do: it fires when the thread that started
// this process ends, and Go's threads come and go.
func watch(fd int) {
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, -1)
		if n > 0 {
			exit(exitOrphaned)
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
