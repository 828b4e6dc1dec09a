// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"sync"
)

// registry holds every function of this program. It is written during package initialisation only.
var registry funcs

type funcs struct {
	mu      sync.RWMutex
	entries []*entry // few, and searched once a process: a map would cost more to make than it saves
	errors  []sentinel
	inited  bool // Init has been called: this program can be copied, and registers no more
}

// entry is a registered function without its types.
type entry struct {
	name string
	// run decodes the parameter, runs the function and encodes its result. What a stream yields goes to emit, whose error
	// ends the stream. The stage says where an error is from.
	run func(ctx context.Context, param *message, emit func(*message) error, limit int64) (*message, Stage, error)
}

// add registers e; it panics where it cannot.
func (r *funcs) add(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse(e.name, r.find(e.name) != nil)
	r.entries = append(r.entries, e)
}

// refuse panics if nothing may be registered under name.
func (r *funcs) refuse(name string, taken bool) {
	switch {
	case r.inited:
		panic(&Error{Func: name, Stage: StageRegister, Err: ErrTooLate})
	case taken:
		panic(&Error{Func: name, Stage: StageRegister, Err: ErrDuplicate})
	}
}

func (r *funcs) find(name string) *entry {
	for _, e := range r.entries {
		if e.name == name {
			return e
		}
	}
	return nil
}

// lookup gives the function of that name, nil if there is none.
func (r *funcs) lookup(name string) *entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.find(name)
}

// ready reports whether Init has been called.
func (r *funcs) ready() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.inited
}

// Func is a registered function that takes an In and gives an Out, in another process. Func values are small and safe for
// concurrent use. The zero Func calls nothing: its Call gives ErrNotRegistered.
type Func[In, Out any] struct{ entry *entry }

// Register names the function f, so that it can be called in another process. Call it from package initialisation, as the
// value of a package-level variable: every copy of the program must register the same functions before its main calls Init.
// In and Out travel as encoding/json has them; a [File] in them crosses as an open descriptor.
//
// It panics with an *Error (ErrDuplicate, ErrTooLate) where the name is taken or Init has been called.
func Register[In, Out any](name string, f func(context.Context, In) (Out, error)) Func[In, Out] {
	e := &entry{name: name}
	e.run = func(ctx context.Context, param *message, _ func(*message) error, limit int64) (*message, Stage, error) {
		var in In
		if err := param.decode(&in); err != nil {
			return nil, StageParam, err
		}
		defer closeFiles(&in)
		out, err := f(ctx, in)
		defer closeFiles(&out)
		if err != nil {
			return nil, StageRun, err
		}
		result, err := encode(out)
		if err == nil && int64(len(result.json)) > limit {
			result.close()
			err = tooLarge(uint64(len(result.json)), limit)
		}
		if err != nil {
			return nil, StageResult, err
		}
		return result, "", nil
	}
	registry.add(e)
	return Func[In, Out]{e}
}

// Name returns the name that f is registered under, "" for the zero Func.
func (f Func[In, Out]) Name() string {
	if f.entry == nil {
		return ""
	}
	return f.entry.name
}
