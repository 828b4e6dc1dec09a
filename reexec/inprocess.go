// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"bytes"
	"context"
	"errors"
	"math"
)

// InProcess returns a Runner that runs functions in this process, on a goroutine of their own: for the unit tests of a
// function, and for fuzzing it. Parameters, results and errors are encoded and decoded as for a worker, context values do
// not cross, and a panic is an error, but nothing else is apart: not the namespaces, and not the process that an os.Exit
// ends. A done context does not end the function, which is waited for. It needs no Init, and works on every system.
func InProcess() Runner { return inProcess{} }

type inProcess struct{}

// bare is a context without its values.
type bare struct{ context.Context }

func (bare) Value(any) any { return nil }

func (inProcess) run(ctx context.Context, c *call) error {
	inner, cancel := context.WithCancel(bare{ctx})
	defer cancel()
	items, taken := make(chan *message), make(chan error)
	emit := func(m *message) error {
		items <- m
		return <-taken
	}
	var result *message
	var f *failure
	go func() {
		defer close(items)
		f = newFailure(StageRun, ErrGoexit) // unless runHere returns
		// The function's own copy, as a worker would have it.
		c.param.json = bytes.Clone(c.param.json)
		result, f = runHere(inner, c.entry, c.param, emit, math.MaxInt64)
	}()
	var broken error
	for m := range items {
		if broken == nil {
			broken = c.take(m)
		}
		if broken != nil {
			cancel()
		}
		taken <- broken
	}
	switch {
	case broken != nil:
		result.close()
		return broken
	case f == nil:
		result.json = bytes.Clone(result.json)
		c.result = result
		return nil
	case ctx.Err() != nil && !errors.Is(f.Err.err(), ErrPanic):
		return cancelled(ctx)
	}
	failed, err := readFailure(c.entry.name, f.message())
	if err != nil {
		return err
	}
	return failed
}
