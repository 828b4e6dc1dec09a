// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
)

// Runner is where a call runs: [In] gives one. A nil Runner is a plain copy of this program.
type Runner interface {
	// run has c executed, and fills in its result. Any error that is not an *Error is of StageRun.
	run(ctx context.Context, c *call) error
}

// call is one call under way, without its types.
type call struct {
	entry  *entry
	param  []byte
	result []byte
}

// Call runs the function with in where the Runner says, and waits for its answer and for the end of the worker, if the
// worker is for this call alone. Done contexts kill the worker: the error then wraps ctx.Err() and context.Cause(ctx). The
// deadline of ctx is that of the function's context too; values do not cross.
//
// Every error is an *Error; the Out beside it is the zero value.
func (f Func[In, Out]) Call(ctx context.Context, on Runner, in In) (Out, error) {
	var out, zero Out
	if f.entry == nil {
		return zero, &Error{Stage: StageCall, Err: ErrNotRegistered}
	}
	c := &call{entry: f.entry}
	err := c.do(ctx, on, in)
	if err != nil {
		return zero, err
	}
	if err := json.Unmarshal(c.result, &out); err != nil {
		return zero, &Error{Func: f.entry.name, Stage: StageResult, Err: err}
	}
	return out, nil
}

// do makes one call, from the parameter to the encoded result.
func (c *call) do(ctx context.Context, on Runner, in any) error {
	if on == nil {
		on = (*Process)(nil)
	}
	stage, err := StageCall, error(nil)
	switch {
	case !registry.ready():
		err = ErrNotInit
	case ctx.Err() != nil:
		err = cancelled(ctx)
	default:
		stage = StageParam
		c.param, err = encode(in)
	}
	if err == nil {
		stage = StageRun
		err = on.run(ctx, c)
	}
	if err == nil {
		return nil
	}
	if e, typed := err.(*Error); typed && e.Func == c.entry.name {
		return e
	}
	return &Error{Func: c.entry.name, Stage: stage, Err: err}
}

// request gives what is sent to a worker.
func (c *call) request(ctx context.Context, log slog.Handler, once bool) *request {
	q := &request{name: c.entry.name, param: c.param, once: once, level: lowest(ctx, log)}
	q.deadline, _ = ctx.Deadline()
	return q
}

// answer reads frames up to the answer. ended is whether the conversation came to its proper end, so that the worker is
// good for another one.
func (c *call) answer(ctx context.Context, from *conn, log slog.Handler) (ended bool, err error) {
	for {
		h, err := from.next()
		var p []byte
		if err == nil {
			p, err = from.payload(h, math.MaxInt64)
		}
		if gone(err) {
			return false, ErrNoResult
		}
		if err != nil {
			return false, err
		}
		switch h.kind {
		case kindLog:
			if err := handle(ctx, log, p); err != nil {
				return false, err
			}
		case kindResult:
			c.result = p
			return true, nil
		case kindFail:
			var f failure
			if err := json.Unmarshal(p, &f); err != nil {
				return false, fmt.Errorf("%w: %w", ErrProtocol, err)
			}
			return true, &Error{Func: c.entry.name, Stage: f.Stage, Stack: f.Stack, Err: f.Err.err()}
		default:
			return false, fmt.Errorf("%w: kind %d where an answer should be", ErrProtocol, h.kind)
		}
	}
}
