// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"
)

const (
	defaultMaxIdle     = 64
	defaultIdleTimeout = time.Minute
)

// pooled is a worker that outlives its call.
type pooled struct {
	*worker
	key   any
	calls int
	since time.Time // it has been idle
}

// run runs c on an idle worker of the key, or on a new one.
func (r *shared) run(ctx context.Context, c *call) (err error) {
	p := r.pool
	defer func() { p.count(err) }()
	if v := reflect.ValueOf(r.key); v.IsValid() && !v.Comparable() {
		return &Error{Func: c.entry.name, Stage: StageCall, Err: fmt.Errorf("a key of type %T is not comparable", r.key)}
	}
	q, err := c.request(ctx, r.process, false)
	if err != nil {
		return err
	}
	w, err := p.lease(ctx, r, q)
	if err != nil {
		return &Error{Func: c.entry.name, Stage: StageStart, Err: err}
	}
	settled := false
	defer func() {
		if !settled { // a panic in the log handler, or in the loop over a stream
			w.kill()
			p.retire(w)
		}
	}()
	ended, err := w.converse(ctx, c)
	settled = true
	w.calls++
	switch {
	case !ended:
		err = w.finish(ctx, false, err)
		p.retire(w)
	case err != nil, c.dirty && !p.KeepChanged, w.doomed, w.calls == p.MaxCalls:
		p.retire(w)
	default:
		p.put(w)
	}
	return err
}

// count adds a call to the numbers.
func (p *Pool) count(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Calls++
	if err != nil {
		p.stats.Failures++
	}
}

// lease gives a worker that has been asked q.
func (p *Pool) lease(ctx context.Context, r *shared, q *request) (*pooled, error) {
	for {
		w, err := p.take(ctx, r.key)
		if err != nil {
			return nil, err
		}
		if w == nil {
			return p.start(ctx, r, q)
		}
		if w.healthy() && w.ask(q) == nil {
			p.mu.Lock()
			p.stats.Warm++
			p.mu.Unlock()
			return w, nil
		}
		p.retire(w)
	}
}

// take gives an idle worker of the key, or nil and the right to start one.
func (p *Pool) take(ctx context.Context, key any) (*pooled, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.closed {
			return nil, ErrClosed
		}
		for i, w := range slices.Backward(p.idle) {
			if w.key == key {
				p.idle = slices.Delete(p.idle, i, i+1)
				return w, nil
			}
		}
		if p.MaxWorkers <= 0 || p.total < p.MaxWorkers {
			p.total++
			p.stats.Started++
			return nil, nil
		}
		if len(p.idle) > 0 {
			p.evict(1)
		}
		if err := p.waitTurn(ctx); err != nil {
			return nil, err
		}
	}
}

// waitTurn waits until a worker is idle or gone. The caller holds mu, and does again afterwards.
func (p *Pool) waitTurn(ctx context.Context) error {
	turn := make(chan struct{}, 1)
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	select {
	case <-turn:
		p.mu.Lock()
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	if i := slices.Index(p.waiting, turn); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
	} else {
		p.wake() // the turn came at the same time: pass it on
	}
	return cancelled(ctx)
}

// wake gives the call that has waited longest its turn. The caller holds mu.
func (p *Pool) wake() {
	if len(p.waiting) > 0 {
		p.waiting[0] <- struct{}{}
		p.waiting = p.waiting[1:]
	}
}

// start starts a worker that take has allowed.
func (p *Pool) start(ctx context.Context, r *shared, q *request) (*pooled, error) {
	w, err := r.process.start(ctx, q)
	if err != nil {
		p.gone()
		return nil, err
	}
	p.mu.Lock()
	p.stats.Cold++
	p.mu.Unlock()
	w.reaped = make(chan struct{})
	pidfd := w.pidfd()
	go func() {
		w.awaitExit(pidfd)
		w.wait()
		p.gone()
	}()
	return &pooled{worker: w, key: r.key}, nil
}

// healthy reports whether an idle worker is there, and silent.
func (w *worker) healthy() bool { return w.conn.r == w.conn.w && w.sock.silent() }

// put makes w idle.
func (p *Pool) put(w *pooled) {
	w.sock.rest()
	p.mu.Lock()
	defer p.mu.Unlock()
	w.since = time.Now()
	p.idle = append(p.idle, w)
	most := p.MaxIdle
	if most == 0 {
		most = defaultMaxIdle
	}
	if p.closed {
		most = 0
	}
	p.evict(len(p.idle) - max(most, 0))
	p.wake()
	if p.expiry == nil && p.idleTimeout() > 0 && len(p.idle) > 0 {
		p.expiry = time.AfterFunc(p.idleTimeout(), p.expire)
	}
}

func (p *Pool) idleTimeout() time.Duration {
	if p.IdleTimeout == 0 {
		return defaultIdleTimeout
	}
	return p.IdleTimeout
}

// expire ends the workers that have been idle for too long.
func (p *Pool) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	old := 0
	for old < len(p.idle) && now.Sub(p.idle[old].since) >= p.idleTimeout() {
		old++
	}
	p.evict(old)
	p.expiry = nil
	if len(p.idle) > 0 && !p.closed {
		p.expiry = time.AfterFunc(p.idle[0].since.Add(p.idleTimeout()).Sub(now), p.expire)
	}
}

// evict ends the n workers that have been idle longest. The caller holds mu.
func (p *Pool) evict(n int) {
	for range max(n, 0) {
		p.retire(p.idle[0])
		p.idle = slices.Delete(p.idle, 0, 1)
	}
}

// retire ends a worker that is not idle, in the background.
func (p *Pool) retire(w *pooled) {
	w.hangUp()
	go w.await(context.Background(), exitPatience)
}

// gone takes note of a worker that there is no more.
func (p *Pool) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total--
	p.idle = slices.DeleteFunc(p.idle, func(w *pooled) bool {
		select {
		case <-w.reaped:
			w.hangUp()
			return true
		default:
			return false
		}
	})
	p.wake()
	if p.drained != nil && p.total == 0 {
		close(p.drained)
		p.drained = nil
	}
}

// CloseIdle ends the workers of key that wait for a call, and waits until they are gone. It is for a target that has ended, or is to
// end: a worker in its mount namespace keeps that alive, and what is mounted there busy. Workers that are in a call stay, and so
// does the key: a further call starts another worker.
func (p *Pool) CloseIdle(key any) {
	p.mu.Lock()
	var ended []*pooled
	p.idle = slices.DeleteFunc(p.idle, func(w *pooled) bool {
		if w.key != key {
			return false
		}
		p.retire(w)
		ended = append(ended, w)
		return true
	})
	p.mu.Unlock()
	for _, w := range ended {
		<-w.reaped
	}
}

// Close ends the workers, those that are in a call when the call has ended, and waits until all are gone. Further calls fail
// with ErrClosed. It returns nil.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.evict(len(p.idle))
	if p.expiry != nil {
		p.expiry.Stop()
		p.expiry = nil
	}
	for range p.waiting {
		p.wake()
	}
	if p.total == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.drained == nil {
		p.drained = make(chan struct{})
	}
	drained := p.drained
	p.mu.Unlock()
	<-drained
	return nil
}
