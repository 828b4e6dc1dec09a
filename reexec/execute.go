// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// execute runs the function of q and gives the frame that answers it.
func (q *request) execute(to *conn) [][]byte {
	ctx, cancel := q.context()
	defer cancel()
	stopLog := divertLog(to, q.level)
	result, f := runEntry(ctx, q.name, q.param)
	stopLog()
	if f == nil {
		return frame(nil, header{kind: kindResult}, result)
	}
	p, err := json.Marshal(f)
	if err != nil { // a failure holds nothing but strings and numbers
		panic(err)
	}
	return frame(nil, header{kind: kindFail}, p)
}

// runEntry runs a registered function on a goroutine of its own: one that is locked to a thread and not unlocked takes the
// thread with it, and runtime.Goexit ends nothing else.
func runEntry(ctx context.Context, name string, param []byte) (result []byte, f *failure) {
	e := registry.find(name)
	if e == nil {
		return nil, newFailure(StageRun, ErrNotRegistered)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			if returned {
				return
			}
			if v := recover(); v != nil {
				f = panicFailure(v)
			} else {
				f = newFailure(StageRun, ErrGoexit)
			}
		}()
		out, stage, err := e.run(ctx, param)
		if err != nil {
			f = newFailure(stage, err)
		} else {
			result = out
		}
		returned = true
	}()
	<-done
	return result, f
}

func newFailure(stage Stage, err error) *failure {
	return &failure{Stage: stage, Err: encodeCause(err, 0)}
}

// panicFailure is called while the panic unwinds, so the stack is that of the panic. An error that was thrown keeps what an
// error keeps.
func panicFailure(v any) *failure {
	stack := string(debug.Stack())
	err := fmt.Errorf("%w: %s", ErrPanic, text(v))
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

// text is v as fmt has it; fmt catches the panics of its methods.
func text(v any) string { return fmt.Sprint(v) }
