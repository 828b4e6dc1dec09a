// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// gonsHostname is one call of the peer.
func gonsHostname(box *fixture.Container, types []string) error {
	var got string
	if err := gonsreexec.RunReexecAction("hostname", gonsIn(box, types), gonsreexec.Result(&got)); err != nil {
		return err
	}
	return expect(got, box.Spec.Hostname)
}

// prepareWarm is a function call on a worker that is there already. Its CPU time is that of the caller alone, for a whole batch.
func prepareWarm(types []string) func(*fixture.Container) (*work, error) {
	return func(box *fixture.Container) (*work, error) {
		set, err := ns.ParseType(strings.Join(types, ","))
		if err != nil {
			return nil, err
		}
		target, err := launcher.PID(box.PID, set)
		if err != nil {
			return nil, err
		}
		pool := &reexec.Pool{}
		on := pool.On(box.PID, target)
		var took []time.Duration
		return &work{
			ours: func() error {
				for range warmBatch {
					start := time.Now()
					got, err := hostname.Call(context.Background(), on, struct{}{})
					if err != nil {
						return err
					}
					took = append(took, time.Since(start))
					if err := expect(got, box.Spec.Hostname); err != nil {
						return err
					}
				}
				return nil
			},
			peer:  func() error { return gonsHostname(box, types) },
			batch: warmBatch,
			close: func() error { return errors.Join(pool.Close(), target.Close()) },
			noteAfter: func() string {
				slices.Sort(took)
				return fmt.Sprintf("of single calls: median %v, p99 %v", took[len(took)/2], took[len(took)*99/100])
			},
		}, nil
	}
}

// warmBatch is how many warm calls follow one another between two of the peer's processes, whose traces in the caches and in
// the scheduler the first of them meets.
const warmBatch = 50

// goroutines is how many call at once in a parallel row.
const goroutines = 64

// prepareParallel is some calls of each of many goroutines at once.
func prepareParallel(warm bool, calls int) func(*fixture.Container) (*work, error) {
	return func(box *fixture.Container) (*work, error) {
		set, err := ns.ParseType(strings.Join(boxTypes, ","))
		if err != nil {
			return nil, err
		}
		target, err := launcher.PID(box.PID, set)
		if err != nil {
			return nil, err
		}
		pool := &reexec.Pool{MaxWorkers: runtime.NumCPU()}
		var on reexec.Runner = reexec.In(target)
		batch := 1
		if warm {
			on, batch = pool.On(box.PID, target), 20
		}
		return &work{
			ours: func() error {
				return parallel(calls*batch, func() error {
					got, err := hostname.Call(context.Background(), on, struct{}{})
					if err != nil {
						return err
					}
					return expect(got, box.Spec.Hostname)
				})
			},
			peer:  func() error { return parallel(calls, func() error { return gonsHostname(box, boxTypes) }) },
			close: func() error { return errors.Join(pool.Close(), target.Close()) },
			note:  fmt.Sprintf("%d goroutines, %d calls each", goroutines, calls),
			most:  20,
			batch: batch,
		}, nil
	}
}

func parallel(calls int, do func() error) error {
	var wg sync.WaitGroup
	errs := make([]error, goroutines)
	for i := range errs {
		wg.Go(func() {
			for range calls {
				errs[i] = errors.Join(errs[i], do())
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// ballast is what makes the heap of a caller large.
var ballast []byte

// nested makes a cold call out of a process whose heap has at least that many bytes, and gives its duration.
var nested = reexec.Register("nested", func(ctx context.Context, heap int) (time.Duration, error) {
	if len(ballast) != heap {
		ballast = make([]byte, heap)
		for i := 0; i < heap; i += 4096 {
			ballast[i] = 1
		}
	}
	start := time.Now()
	_, err := hostname.Call(ctx, nil, struct{}{})
	return time.Since(start), err
})

// prepareHeap is a cold call by a caller with a large heap, beside one by a caller with a small heap.
func prepareHeap(*fixture.Container) (*work, error) {
	pool := &reexec.Pool{KeepChanged: true}
	call := func(heap int) func() error {
		on := pool.On(heap, nil)
		return func() error {
			_, err := nested.Call(context.Background(), on, heap)
			return err
		}
	}
	return &work{ours: call(4 << 30), peer: call(0), close: pool.Close, note: "a plain copy, called by a warm worker"}, nil
}
