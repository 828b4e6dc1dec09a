// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/trace"
)

// Runner is where a call runs. [In] and [Pool.On] give one in another process, [InProcess] in this. A nil Runner is a plain
// copy of this program for the call alone.
type Runner interface {
	// run has c executed, and fills in its result. An error that is not an *Error is of StageRun.
	run(ctx context.Context, c *call) error
}

// call is one call under way, without its types.
type call struct {
	entry  *entry
	param  *message
	result *message
	emit   func(*message) error // takes what a stream yields; nil for a Func
	dirty  bool                 // the worker says that it must not be used again
}

// Call runs the function with in where the Runner says, and waits for its answer and for the end of the worker, if the
// worker is for this call alone. A done context kills the worker: the error then wraps ctx.Err() and context.Cause(ctx). The
// deadline of ctx is that of the function's context too; values do not cross.
//
// Every error is an *Error; the Out beside it is the zero value.
func (f Func[In, Out]) Call(ctx context.Context, on Runner, in In) (Out, error) {
	var out, zero Out
	if f.entry == nil {
		return zero, &Error{Stage: StageCall, Err: ErrNotRegistered}
	}
	c := &call{entry: f.entry}
	if err := c.do(ctx, on, in); err != nil {
		return zero, err
	}
	if err := c.result.decode(&out); err != nil {
		return zero, &Error{Func: f.entry.name, Stage: StageResult, Err: err}
	}
	return out, nil
}

// do makes one call, from the parameter to the encoded result.
func (c *call) do(ctx context.Context, on Runner, in any) error {
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, "reexec: "+c.entry.name).End()
	}
	if on == nil {
		on = (*Process)(nil)
	}
	if ctx.Err() != nil {
		return &Error{Func: c.entry.name, Stage: StageCall, Err: cancelled(ctx)}
	}
	var err error
	if c.param, err = encode(in); err != nil {
		return &Error{Func: c.entry.name, Stage: StageParam, Err: err}
	}
	defer c.param.close()
	err = on.run(ctx, c)
	if err == nil {
		return nil
	}
	if _, typed := err.(*Error); typed {
		return err
	}
	return &Error{Func: c.entry.name, Stage: StageRun, Err: err}
}

// request gives what is sent to a worker.
func (c *call) request(ctx context.Context, p *Process, once bool) (*request, error) {
	q := &request{name: c.entry.name, param: c.param, once: once, level: lowest(ctx, p.log()), limit: p.maxResult()}
	q.deadline, _ = ctx.Deadline()
	if n, limit := len(c.param.json), p.maxParam(); int64(n) > limit {
		return nil, &Error{Func: c.entry.name, Stage: StageParam, Err: tooLarge(uint64(n), limit)}
	}
	return q, nil
}

// maxNotice is the largest record or error, in bytes of JSON, whatever the limit of a result is.
const maxNotice = 16 << 20

// answer reads frames up to the answer. ended is whether the conversation came to its proper end.
func (c *call) answer(ctx context.Context, from *conn, log slog.Handler, limit int64) (ended bool, err error) {
	for {
		var m *message
		h, err := from.next()
		if err == nil && (h.kind == kindLog || h.kind == kindFail) {
			m, err = from.message(h, maxNotice)
		} else if err == nil {
			m, err = from.message(h, limit)
		}
		if gone(err) {
			return false, ErrNoResult
		}
		if err != nil {
			return false, err
		}
		switch h.kind {
		case kindLog:
			err = handle(ctx, log, m.json)
		case kindItems:
			err = c.take(m)
		case kindResult:
			c.result, c.dirty = m, h.flags&flagDirty != 0
			return true, nil
		case kindFail:
			var failed *Error
			if failed, err = readFailure(c.entry.name, m); err == nil {
				m.close()
				return true, failed
			}
		default:
			err = fmt.Errorf("%w: kind %d where an answer should be", ErrProtocol, h.kind)
		}
		m.close()
		if err != nil {
			return false, err
		}
	}
}

// take gives what a stream has yielded to its caller.
func (c *call) take(m *message) error {
	if c.emit == nil {
		return fmt.Errorf("%w: items of a function that is no stream", ErrProtocol)
	}
	return c.emit(m)
}
