// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// execute runs the function of q and gives what answers it, with the flags for its header.
func (q *request) execute(to *conn) (*message, header) {
	ctx, cancel := q.context()
	defer cancel()
	stopLog := divertLog(to, q.level)
	defer stopLog()
	emit := func(m *message) error { return to.sendAll(m.parts(nil, header{kind: kindItems})) }
	result, f := runHere(ctx, registry.lookup(q.name), q.param, emit, q.limit)
	if f == nil {
		return result, header{kind: kindResult}
	}
	return f.message(), header{kind: kindFail}
}

// runHere runs a registered function. Nothing but a runtime.Goexit gets past it.
func runHere(ctx context.Context, e *entry, param *message, emit func(*message) error, limit int64) (result *message, f *failure) {
	if e == nil {
		return nil, newFailure(StageRun, ErrNotRegistered)
	}
	defer func() {
		if v := recover(); v != nil {
			f = panicFailure(v)
		}
	}()
	result, stage, err := e.run(ctx, param, emit, limit)
	if err != nil {
		return nil, newFailure(stage, err)
	}
	return result, nil
}

// failure is the payload of a fail frame.
type failure struct {
	Stage Stage  `json:"stage"`
	Stack string `json:"stack,omitempty"`
	Err   cause  `json:"err"`
}

func newFailure(stage Stage, err error) *failure {
	return &failure{Stage: stage, Err: encodeCause(err, 0)}
}

// message encodes f; there is nothing in it that could not be.
func (f *failure) message() *message {
	p, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return &message{json: p}
}

// readFailure gives the error that a fail frame holds; err says that it holds none.
func readFailure(name string, m *message) (failed *Error, err error) {
	var f failure
	if err := json.Unmarshal(m.json, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return &Error{Func: name, Stage: f.Stage, Stack: f.Stack, Err: f.Err.err()}, nil
}

// panicFailure is called while the panic unwinds, so the stack is that of the panic. An error that was thrown keeps what an
// error keeps.
func panicFailure(v any) *failure {
	stack := string(debug.Stack())
	err := fmt.Errorf("%w: %v", ErrPanic, v)
	if thrown, ok := v.(error); ok {
		err = fmt.Errorf("%w: %w", ErrPanic, thrown)
	}
	return &failure{Stage: StageRun, Stack: stack, Err: encodePanic(err, v)}
}

// encodePanic is encodeCause for an error whose methods may panic once more.
func encodePanic(err error, v any) (c cause) {
	defer func() {
		if recover() != nil {
			c = encodeCause(fmt.Errorf("%w: %T", ErrPanic, v), 0)
		}
	}()
	return encodeCause(err, 0)
}
