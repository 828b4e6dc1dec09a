// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/json"
	"sync"
)

// registry holds every function of this program. It is written during package initialisation only.
var registry = funcs{byName: map[string]*entry{}}

type funcs struct {
	mu     sync.RWMutex
	byName map[string]*entry
	inited bool // Init has been called: this program can be copied, and registers no more
}

// refusal says why nothing may be registered any more, or nil. The caller holds mu.
func (r *funcs) refusal() error {
	if r.inited {
		return ErrTooLate
	}
	return nil
}

// add puts an entry under its name; it panics where it cannot.
func (r *funcs) add(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.refusal()
	if _, taken := r.byName[e.name]; taken {
		err = ErrDuplicate
	}
	if err != nil {
		panic(&Error{Func: e.name, Stage: StageRegister, Err: err})
	}
	r.byName[e.name] = e
}

func (r *funcs) find(name string) *entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byName[name]
}

// entry is a registered function without its types.
type entry struct {
	name string
	// run decodes the parameter, runs the function and encodes its result. The stage says where an error is from.
	run func(ctx context.Context, param []byte) ([]byte, Stage, error)
}

// Func is a registered function that takes an In and gives an Out, in another process. Func values are small and safe for
// concurrent use. The zero Func calls nothing: its Call gives ErrNotRegistered.
type Func[In, Out any] struct{ entry *entry }

// Register names the function f, so that it can be called in another process. Call it from package initialisation, as the
// value of a package-level variable: every copy of the program must register the same functions before its main calls Init.
// In and Out travel as encoding/json has them.
//
// It panics with an *Error (ErrDuplicate, ErrTooLate) where the name is taken or Init has been called.
func Register[In, Out any](name string, f func(context.Context, In) (Out, error)) Func[In, Out] {
	e := &entry{name: name}
	e.run = func(ctx context.Context, param []byte) ([]byte, Stage, error) {
		var in In
		if err := json.Unmarshal(param, &in); err != nil {
			return nil, StageParam, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, StageRun, err
		}
		result, err := encode(out)
		return result, StageResult, err
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
