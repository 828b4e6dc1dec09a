// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"os"
	"os/exec"
	"reflect"
	"strings"

	"github.com/airlock-ns/airlock/reexec/internal/taken"
)

// run makes a worker for c alone.
func (p *Process) run(ctx context.Context, c *call) error {
	if p == nil {
		p = &Process{}
	}
	q, err := c.request(ctx, p, true)
	if err != nil {
		return err
	}
	w, err := p.start(ctx, q)
	if err != nil {
		return &Error{Func: c.entry.name, Stage: StageStart, Err: err}
	}
	w.sock.slowly = func() { go w.awaitExit(w.pidfd()) }
	defer w.discard() // for a panic in the log handler, or in the loop over a stream
	ended, err := w.converse(ctx, c)
	return w.finish(ctx, ended, err)
}

// start makes a worker that has q in its socket already. It returns when the Starter does, or when ctx is done and the worker
// is dead or has been given up.
func (p *Process) start(ctx context.Context, q *request) (*worker, error) {
	if !registry.ready() {
		return nil, ErrNotInit
	}
	if called != nil { // a worker, whose /proc may be a target's
		if err := checkImage(); err != nil {
			return nil, err
		}
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	w := &worker{process: p, conn: newConn(ours), sock: ours}
	if err := w.ask(q); err != nil {
		theirs.Close()
		w.hangUp()
		return nil, err
	}
	w.command(ctx, theirs)
	if err := w.launch(ctx, p.Starter, theirs); err != nil {
		w.kill()
		w.hangUp()
		return nil, err
	}
	return w, nil
}

// command gives the worker its exec.Cmd: a copy of this program that has its end of the socket as descriptor 3.
func (w *worker) command(ctx context.Context, socket *os.File) {
	p := w.process
	var cmd *exec.Cmd
	if ctx.Done() == nil && p.Stderr == nil {
		// Nobody kills the process before Start has returned.
		cmd = exec.Command(image)
		w.kill = func() {
			if cmd.Process != nil {
				cmd.Process.Kill()
			}
		}
	} else {
		// The context of the command is the worker's own: it kills the process at any time, also while Start runs.
		var life context.Context
		life, w.kill = context.WithCancel(context.Background())
		cmd = exec.CommandContext(life, image)
	}
	cmd.Args = os.Args[:1:1]
	cmd.Env = environ(p.Env)
	cmd.Dir = p.Dir
	cmd.Stdin = p.Stdin
	cmd.Stdout = p.Stdout
	if cmd.Stdout == nil {
		cmd.Stdout = os.Stdout
	}
	cmd.Stderr, w.stderr = p.limitStderr(w.kill)
	if w.stderr != nil && same(p.Stdout, p.Stderr) {
		cmd.Stdout = cmd.Stderr // so that one goroutine at a time writes to it
	}
	cmd.ExtraFiles = []*os.File{socket}
	cmd.WaitDelay = p.grace()
	w.cmd = cmd
}

// same reports whether both are the same writer.
func same(a, b any) bool {
	v := reflect.ValueOf(a)
	return v.IsValid() && v.Comparable() && a == b
}

// environ is the worker's environment: env, or the caller's, and the number of the socket.
func environ(env []string) []string {
	if env == nil {
		env = os.Environ()
	}
	env = append(env[:len(env):len(env)], taken.Variable+"=3")
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
