// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// bulk is the size of a large result.
const bulk = 64 << 20

var large = reexec.Register("large", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })

// items of 64 bytes each, as JSON, make as many bytes as a large result.
var items = reexec.RegisterStream("items", func(_ context.Context, n int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		item := strings.Repeat("x", bulk/n-3) // two quotes and a comma
		for range n {
			if !yield(item, nil) {
				return
			}
		}
	}
})

// peak is the largest resident size that its process has had.
var peak = reexec.Register("peak", func(context.Context, struct{}) (string, error) { return peakRSS() })

// peakRSS reads what the memory of this program had at most; ru_maxrss would count that of the program before execve too.
func peakRSS() (string, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "", err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line), nil
}

func init() {
	gonsreexec.Register("large", func() {
		if err := json.NewEncoder(os.Stdout).Encode(strings.Repeat("x", bulk)); err != nil {
			panic(err)
		}
	})
}

func gonsLarge() error {
	var got string
	if err := gonsreexec.RunReexecAction("large", gonsreexec.Result(&got)); err != nil {
		return err
	}
	return expect(fmt.Sprint(len(got)), fmt.Sprint(bulk))
}

// prepareResult is a large result of a fresh process.
func prepareResult(*fixture.Container) (*work, error) {
	return &work{
		ours: func() error {
			got, err := large.Call(context.Background(), nil, bulk)
			if err != nil {
				return err
			}
			return expect(fmt.Sprint(len(got)), fmt.Sprint(bulk))
		},
		peer: gonsLarge,
		most: 5,
	}, nil
}

// prepareStream is as many bytes in a million items. The sizes are those of two processes that do nothing else.
func prepareStream(*fixture.Container) (*work, error) {
	const n = 1_000_000
	sum := func(on reexec.Runner, n int) error {
		got := 0
		for item, err := range items.Call(context.Background(), on, n) {
			if err != nil {
				return err
			}
			got += len(item) + 3
		}
		return expect(fmt.Sprint(got), fmt.Sprint(bulk/n*n))
	}
	return &work{
		ours: func() error { return sum(nil, n) },
		peer: gonsLarge,
		most: 5,
		noteAfter: func() string {
			var pool reexec.Pool
			defer pool.Close()
			on := pool.On(0, nil)
			if err := sum(on, n); err != nil {
				return err.Error()
			}
			worker, _ := peak.Call(context.Background(), on, struct{}{})
			idle, _ := peak.Call(context.Background(), pool.On(1, nil), struct{}{})
			caller, _ := streamPeak.Call(context.Background(), nil, n)
			return fmt.Sprintf("peak RSS: worker %s, caller %s, one that does nothing %s", worker, caller, idle)
		},
	}, nil
}

// streamPeak is the peak of a process that reads a stream.
var streamPeak = reexec.Register("stream peak", func(ctx context.Context, n int) (string, error) {
	for _, err := range items.Call(ctx, nil, n) {
		if err != nil {
			return "", err
		}
	}
	return peakRSS()
})

// sweepSize is how many namespaces a sweep visits.
const sweepSize = 500

// prepareSweep visits many mount namespaces, one after the other.
func prepareSweep(visit func(*ns.Handle) error) func(*fixture.Container) (*work, error) {
	return func(*fixture.Container) (_ *work, err error) {
		var sets []io.Closer
		closeAll := func() (err error) {
			for _, s := range sets {
				err = errors.Join(err, s.Close())
			}
			return err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, closeAll())
			}
		}()
		var handles []*ns.Handle
		for range sweepSize {
			set, err := ns.New(ns.Spec{Types: ns.Mount})
			if err != nil {
				return nil, err
			}
			sets = append(sets, set)
			h := set.Handle(ns.Mount)
			handles = append(handles, h)
		}
		return &work{
			ours: func() error {
				for _, h := range handles {
					if err := visit(h); err != nil {
						return err
					}
				}
				return nil
			},
			peer: func() error {
				for _, h := range handles {
					var got string
					path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.File().Fd())
					in := gonsreexec.Namespaces([]gonsreexec.Namespace{{Type: "mnt", Path: path}})
					if err := gonsreexec.RunReexecAction("hostname", in, gonsreexec.Result(&got)); err != nil {
						return err
					}
				}
				return nil
			},
			close: closeAll,
			most:  3,
		}, nil
	}
}

func sweepProcesses(h *ns.Handle) error {
	_, err := hostname.Call(context.Background(), reexec.In(launcher.Handles(h)), struct{}{})
	return err
}

func sweepThreads(h *ns.Handle) error {
	_, err := ns.Call(os.Hostname, h)
	return err
}
