// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"sync"
	"time"
)

// Pool keeps workers warm: a call that finds one idle costs a round trip on a socket instead of the start of a process. The zero
// Pool is ready to use; set the fields before that, and do not copy it. All methods may be called at once.
//
// What a function leaves behind in its process, the next call finds. After every call the worker looks whether the working
// directory, the umask, the environment, the number of goroutines or the lowest free descriptor has changed; if so, it is
// not used again. Not looked at, and so up to the functions: package variables, credentials, resource limits, signal
// handlers, mounts, and the contents of everything. A goroutine that has locked itself to its thread takes the thread with
// it, so namespaces that a function enters on such a thread are no concern. A worker is used again only after a clean
// result: an error of the function, a panic, a broken-off stream or a cancelled call ends it.
//
// A pool does not end with the program's functions: Close it, or its workers end when this process does.
type Pool struct {
	// Process says how workers are started, what they inherit and what the limits are. Its Starter is not used.
	Process Process

	// MaxIdle is how many workers may wait for a call, over all keys; the one that has waited longest goes first. 0: 64.
	// Negative: none.
	MaxIdle int

	// MaxWorkers is how many workers there may be at a time, over all keys. A call beyond that ends an idle worker of another
	// key, or waits for one to become free, or for its context. 0: no limit.
	MaxWorkers int

	// MaxCalls is how many calls a worker may serve. 0: no limit.
	MaxCalls int

	// IdleTimeout is how long a worker may wait for a call. 0: one minute. Negative: for ever.
	IdleTimeout time.Duration

	// KeepChanged has a worker used again though its state has changed, for functions that are known to cache descriptors or
	// goroutines, say. The zero value is the careful one.
	KeepChanged bool

	mu      sync.Mutex
	idle    []*pooled // the one that has waited longest first
	total   int       // workers that are not reaped yet, and those that are being started
	waiting []chan struct{}
	expiry  *time.Timer
	closed  bool
	drained chan struct{} // closed when the last worker of a closed pool is gone
	stats   Stats
}

// Stats counts what a Pool has done since it was made, and has now. It is ready for expvar.Func.
type Stats struct {
	Calls    uint64 // that have ended, in whatever way
	Cold     uint64 // calls that started a worker
	Warm     uint64 // calls that found one
	Failures uint64 // calls that ended with an error
	Started  uint64 // workers, whether or not the start succeeded
	Idle     int    // workers that wait for a call
	Workers  int    // all workers, with those that are being started and those that are ending
}

// Stats gives the present numbers.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Idle, s.Workers = len(p.idle), p.total
	return s
}

// On returns a Runner whose calls share the workers of key, which must be comparable; s starts those that it takes. Whatever
// is started under one key must be alike: key is the target's identity, and s one way to get there. A nil s starts a plain
// copy of this program.
func (p *Pool) On(key any, s Starter) Runner {
	process := p.Process
	process.Starter = s
	return &shared{pool: p, key: key, process: &process}
}

// shared is the Runner of one key.
type shared struct {
	pool    *Pool
	key     any
	process *Process
}
