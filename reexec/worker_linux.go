// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// worker is a started copy of this program, as its caller sees it.
type worker struct {
	process *Process
	cmd     *exec.Cmd
	kill    func()   // kills the process, in whatever state it is
	stderr  *limited // nil unless standard error is counted
	conn    *conn
	sock    *sock
	unsent  []part        // the part of the request that did not fit into the socket
	doomed  bool          // the process has been killed, or is about to be
	reaped  chan struct{} // closed once the process has been waited for; nil before that has begun
}

// ask puts as much of q into the socket as it takes.
func (w *worker) ask(q *request) (err error) {
	w.unsent, err = w.sock.sendNow(q.parts())
	return err
}

// launch has the Starter start the command, and closes the worker's end of the socket after that. Where the call may end while the Starter
// hangs, another goroutine does it; and also where the caller is locked to its thread, which may be elsewhere: a worker is of the
// process, and not of the caller's thread. A Starter that is given up goes on with the command's files, so they are closed by whoever
// has called it.
func (w *worker) launch(ctx context.Context, s Starter, theirs *os.File) error {
	start := func() error {
		defer theirs.Close()
		if s == nil {
			return w.cmd.Start()
		}
		defer passCoverDir(w.cmd).Close() // of a nil *os.File is an error, and harmless
		return s.Start(w.cmd)
	}
	if ctx.Done() == nil && !locked() {
		return start()
	}
	started := make(chan error, 1)
	go func() { started <- start() }()
	select {
	case err := <-started:
		return err
	case <-ctx.Done():
	}
	w.kill()
	timer := time.NewTimer(w.process.grace())
	defer timer.Stop()
	select {
	case err := <-started:
		if err != nil {
			return cancelled(ctx)
		}
		return w.finish(ctx, false, nil)
	case <-timer.C:
		go func() {
			if <-started == nil {
				w.cmd.Wait()
			}
		}()
		return fmt.Errorf("%w: %w", cancelled(ctx), ErrStuck)
	}
}

// converse sends the rest of the request and reads the answer. ended is whether that has come to its proper end.
func (w *worker) converse(ctx context.Context, c *call) (ended bool, err error) {
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			w.kill()
			// The end of the process ends the reading below. This is for a process that does not end.
			w.sock.giveUp(time.Now().Add(w.process.grace()))
		})
		defer func() { w.doomed = !stop() }()
	}
	if w.unsent != nil {
		rest, sent := w.unsent, make(chan error, 1)
		w.unsent = nil
		go func() { sent <- w.conn.sendAll(rest) }()
		defer func() {
			// Where the worker has ended, the reader has seen that too.
			if w.endSending(sent) != nil && ended {
				c.result.close()
				c.result = nil
				ended, err = false, fmt.Errorf("%w: an answer to half a request", ErrProtocol)
			}
		}()
	}
	return c.answer(ctx, w.conn, w.process.log(), w.process.maxResult())
}

// endSending ends the sending of a request when nobody will read the rest of it. The error says that there is a rest.
func (w *worker) endSending(sent <-chan error) error {
	select {
	case err := <-sent:
		return err
	default:
	}
	w.sock.giveUp(time.Unix(1, 0))
	defer w.sock.giveUp(time.Time{}) // the worker may be asked again
	return <-sent
}

// finish waits for the end of a worker that makes one after its answer, or ends it, and gives the error of the call.
func (w *worker) finish(ctx context.Context, ended bool, err error) error {
	patience := exitPatience
	if !ended {
		patience = w.process.grace()
		if ctx.Err() != nil || !errors.Is(err, ErrNoResult) {
			w.kill()
		}
	}
	dead := w.await(ctx, patience)
	w.hangUp()
	switch {
	case ended:
		return err
	case ctx.Err() != nil:
		err = cancelled(ctx)
	case w.stderr.err() != nil:
		err = w.stderr.err()
	case errors.Is(err, ErrNoResult) && dead:
		err = fmt.Errorf("%w: %w", err, &exec.ExitError{ProcessState: w.cmd.ProcessState})
	}
	if !dead {
		err = fmt.Errorf("%w: %w", err, ErrStuck)
	}
	return err
}

// discard ends a worker in the middle of its call; after finish it does nothing.
func (w *worker) discard() {
	if w.reaped == nil {
		w.kill()
		w.await(context.Background(), w.process.grace())
		w.hangUp()
	}
}

// hangUp closes the socket, which ends the worker, and what has come over it.
func (w *worker) hangUp() {
	w.sock.close()
	w.conn.drop()
}

// reap begins to wait for the process.
func (w *worker) reap() {
	if w.reaped == nil {
		w.reaped = make(chan struct{})
		go w.wait()
	}
}

// wait waits for the process, and for the goroutines that copy its output.
func (w *worker) wait() {
	// What Wait says is in ProcessState too, or is about pipes that a child of the worker keeps open.
	w.cmd.Wait()
	w.kill()
	close(w.reaped)
}

// pidfd gives a descriptor of the process that the runtime's poller waits on, or nil. The process must not have been waited for.
func (w *worker) pidfd() *os.File {
	fd, err := unix.PidfdOpen(w.cmd.Process.Pid, unix.PIDFD_NONBLOCK) // Linux 5.10
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "pidfd")
}

// awaitExit returns when the process has ended, though not yet been waited for. Until then it takes no thread, unlike waitid(2). The
// conversation is at its end then: a child of the worker that has got hold of the socket does not hold the caller up.
func (w *worker) awaitExit(pidfd *os.File) {
	if pidfd == nil {
		return
	}
	defer pidfd.Close()
	if rc, err := pidfd.SyscallConn(); err == nil {
		rc.Read(func(fd uintptr) bool {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
	}
	w.sock.noMore()
}

const (
	// exitPatience is how long a worker that has answered may take to exit, before it is killed. What is left to do then is
	// to write coverage counters, at most.
	exitPatience = 10 * time.Second
	// exitSpin is how long the caller's own thread waits for the end of the process, in milliseconds. An ordinary end takes
	// a quarter of one.
	exitSpin = 5
)

// await waits for the end of the process. One that takes longer than patience, or than ctx, is killed, and given up after the
// grace period.
func (w *worker) await(ctx context.Context, patience time.Duration) bool {
	if w.reaped == nil && w.exits(exitSpin) {
		w.reaped = make(chan struct{})
		w.wait()
		return true
	}
	w.reap()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.reaped:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	w.kill()
	timer.Reset(w.process.grace())
	select {
	case <-w.reaped:
		return true
	case <-timer.C:
		return false
	}
}

// exits reports whether the process ends within some milliseconds. It blocks the thread: for as short a time that is cheaper
// than to have another thread wait, and to be woken by it.
func (w *worker) exits(milliseconds int) (ended bool) {
	w.cmd.Process.WithHandle(func(pidfd uintptr) {
		n, _ := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, milliseconds)
		ended = n > 0
	})
	return ended
}
