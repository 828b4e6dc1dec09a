// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"
)

// run makes a worker for c alone.
func (p *Process) run(ctx context.Context, c *call) error {
	if p == nil {
		p = &Process{}
	}
	w, err := p.start(ctx, c.request(ctx, p.log(), true))
	if err != nil {
		return &Error{Func: c.entry.name, Stage: StageStart, Err: err}
	}
	defer w.discard() // also when the log handler panics
	ended, err := w.converse(ctx, c, p.log())
	return w.finish(ctx, ended, err)
}

// start makes a worker that has q in its socket already. It returns when the Starter does, or when ctx is done and the worker
// is dead or has been given up.
func (p *Process) start(ctx context.Context, q *request) (*worker, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	w := &worker{conn: newConn(ours), sock: ours, grace: p.grace()}
	w.unsent, err = ours.sendNow(q.parts())
	if err != nil {
		ours.f.Close()
		return nil, err
	}
	// The context of the command is the worker's own. It is what kills the process, at any time from here on: no lock
	// is needed for a cmd.Process that Start has yet to set.
	life, kill := context.WithCancel(context.Background())
	w.kill = kill
	w.cmd = p.command(life, theirs)
	if err := w.launch(ctx, p.Starter); err != nil {
		kill()
		ours.f.Close()
		return nil, err
	}
	return w, nil
}

// command gives a copy of this program that has its end of the socket as descriptor 3.
func (p *Process) command(life context.Context, socket *os.File) *exec.Cmd {
	cmd := exec.CommandContext(life, "/proc/self/exe")
	cmd.Args = os.Args[:1:1]
	cmd.Env = environ(p.Env)
	cmd.Dir = p.Dir
	cmd.Stdin = p.Stdin
	cmd.Stdout, cmd.Stderr = p.Stdout, p.Stderr
	if cmd.Stdout == nil {
		cmd.Stdout = os.Stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	cmd.ExtraFiles = []*os.File{socket}
	cmd.WaitDelay = p.grace()
	return cmd
}

// environ is the worker's environment: env, or the caller's, and the number of the socket.
func environ(env []string) []string {
	if env == nil {
		env = os.Environ()
	}
	env = append(env[:len(env):len(env)], callVariable+"=3")
	if !raceEnabled {
		return env
	}
	// A process under the race detector sleeps for a second at its exit unless it is told not to.
	options := ""
	for _, v := range env {
		if o, ok := strings.CutPrefix(v, "GORACE="); ok {
			options = o + " "
		}
	}
	return append(env, "GORACE="+options+"atexit_sleep_ms=0")
}

// worker is a started copy of this program, as its caller sees it.
type worker struct {
	cmd    *exec.Cmd
	kill   context.CancelFunc // kills the process, in whatever state it is
	conn   *conn
	sock   *sock
	unsent [][]byte // the part of the request that did not fit into the socket before the start
	grace  time.Duration
	reaped chan struct{} // closed once the process has been waited for; nil before that has begun
}

// launch has the Starter start the command.
func (w *worker) launch(ctx context.Context, s Starter) error {
	start := w.cmd.Start
	if s != nil {
		start = func() error { return s.Start(w.cmd) }
	}
	if ctx.Done() == nil {
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
	timer := time.NewTimer(w.grace)
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

// converse sends the rest of the request and reads the answer.
func (w *worker) converse(ctx context.Context, c *call, log slog.Handler) (ended bool, err error) {
	defer context.AfterFunc(ctx, func() {
		w.kill()
		// The end of the process ends the reading below. This is for a process that does not end.
		w.sock.f.SetDeadline(time.Now().Add(w.grace))
	})()
	if w.unsent != nil {
		sent := make(chan struct{})
		defer func() {
			if !ended {
				w.sock.f.SetWriteDeadline(time.Unix(1, 0))
			}
			<-sent
		}()
		go func() {
			defer close(sent)
			// An error here is the end of the worker, which the reader sees too.
			w.conn.sendAll(w.unsent...)
		}()
	}
	return c.answer(ctx, w.conn, log)
}

// finish waits for the process of a conversation that ended, or ends it, and gives the error of the call.
func (w *worker) finish(ctx context.Context, ended bool, err error) error {
	if !ended && (ctx.Err() != nil || !errors.Is(err, ErrNoResult)) {
		w.kill()
	}
	w.reap()
	patience := w.grace
	if ended {
		patience = exitPatience
	}
	dead := w.await(ctx, patience)
	w.sock.f.Close()
	switch {
	case ended:
		return err
	case ctx.Err() != nil:
		err = cancelled(ctx)
	case errors.Is(err, ErrNoResult) && dead:
		err = fmt.Errorf("%w: %w", err, &exec.ExitError{ProcessState: w.cmd.ProcessState})
	}
	if !dead {
		err = fmt.Errorf("%w: %w", err, ErrStuck)
	}
	return err
}

// reap begins to wait for the process.
func (w *worker) reap() {
	if w.reaped != nil {
		return
	}
	w.reaped = make(chan struct{})
	go func() {
		// What Wait says is in ProcessState too, or is about pipes that a child of the worker keeps open.
		w.cmd.Wait()
		w.kill()
		close(w.reaped)
	}()
}

// exitPatience is how long a worker that has answered may take to exit, before it is killed. What is left to do then is to
// write coverage counters, at most.
const exitPatience = 10 * time.Second

// await waits for the end of a process that is being reaped. One that takes longer than patience, or than ctx, is killed,
// and given up after the grace period.
func (w *worker) await(ctx context.Context, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-w.reaped:
		return true
	case <-ctx.Done():
	case <-timer.C:
	}
	w.kill()
	timer.Reset(w.grace)
	select {
	case <-w.reaped:
		return true
	case <-timer.C:
		return false
	}
}

// discard ends a worker without waiting for it; after finish it does nothing.
func (w *worker) discard() {
	if w.reaped == nil {
		w.kill()
		w.sock.f.Close()
		w.reap()
	}
}
