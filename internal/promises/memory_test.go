// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/reexec"
)

// rss is the memory of this process that is in use, in bytes.
func rss() int {
	var size, resident int
	b, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(b), &size, &resident)
	}
	if err != nil {
		panic(err)
	}
	return resident * os.Getpagesize()
}

const (
	// slack is how much more memory a process may have in use than before, whatever passes through it.
	slack = 32 << 20
	// through is what passes, in pieces of 64 KiB.
	through = 3 * slack
)

// requireFlat asks that f, through which three times slack passes, needs no more memory than that, looked at whenever f calls look.
func requireFlat(t *testing.T, f func(look func())) {
	t.Helper()
	hadMemory()
	debug.FreeOSMemory()
	before, highest := rss(), 0
	f(func() { highest = max(highest, rss()) })
	highest = max(highest, rss())
	if raceEnabled {
		return // the detector keeps several times as much as the program has
	}
	require.Less(t, highest, before+slack)
}

// hadMemory has this process use more memory than it may use later: what is allocated again is written to, and so in use, at once.
var hadMemory = sync.OnceFunc(func() { runtime.KeepAlive(bytes.Repeat([]byte{1}, through)) })

// piece is an item of an endless stream, with the memory of the worker that sends it.
type piece struct {
	RSS  int
	Text string
}

var pieces = reexec.RegisterStream("pieces", func(context.Context, struct{}) iter.Seq2[piece, error] {
	return func(yield func(piece, error) bool) {
		text := strings.Repeat("x", 64<<10)
		for yield(piece{rss(), text}, nil) {
		}
	}
})

func TestPromise07AnEndlessStreamTakesNoMemory(t *testing.T) {
	atBothEnds(t, func(t *testing.T, at place) {
		at.starter = note(at.starter)
		on := at.mustOn(t, reexec.Process{})
		requireFlat(t, func(look func()) {
			n, first := 0, 0
			for p, err := range pieces.Call(t.Context(), on, struct{}{}) {
				require.NoError(t, err)
				if n++; n == 1 {
					first = p.RSS
				}
				require.True(t, raceEnabled || p.RSS < first+slack, "the worker has %d bytes more", p.RSS-first)
				if n%16 == 0 {
					look()
					time.Sleep(time.Millisecond) // a slow reader
				}
				if n == through>>16 {
					break
				}
			}
		})
		if !at.warm {
			at.starter.(noting).requireGone(t)
		}
	})
}

// endless are what a worker can do without an end.
var endless = map[string]func(){
	"announces all there is, and sends": func() {
		scribble(header(resultFrame, 1<<62))
		for scribble(make([]byte, 1<<20)) == nil {
		}
	},
	"announces all there is, and is silent": func() { scribble(header(resultFrame, 1<<63)); select {} },
	"sends items": func() {
		for scribble(frame(itemsFrame, []byte("[1]"))) == nil {
		}
	},
	"prints": func() {
		for line := make([]byte, 1<<16); ; {
			os.Stderr.Write(line)
		}
	},
	"announces what it may, and is silent": func() {
		scribble(header(resultFrame, 1<<30))
		scribble(make([]byte, 1<<20))
		os.Stdout.WriteString("silent")
		select {}
	},
	"logs": func() {
		record, _ := json.Marshal(map[string]string{"msg": strings.Repeat("x", 1<<16)})
		for i := 0; scribble(frame(logFrame, record)) == nil; i++ {
			if i == through>>16 {
				os.Stdout.WriteString("enough")
			}
		}
	},
	"prints what it may": func() {
		for i, line := 0, make([]byte, 1<<16); ; i++ {
			os.Stderr.Write(line)
			if i == through>>16 {
				os.Stdout.WriteString("enough")
			}
		}
	},
}

var goOn = reexec.Register("go on", func(_ context.Context, how string) (string, error) { endless[how](); return "", nil })

func TestPromise07AnEndlessResultTakesNoMemory(t *testing.T) {
	atBothEnds(t, func(t *testing.T, at place) {
		for how, want := range map[string]error{
			"announces all there is, and sends":     reexec.ErrTooLarge,
			"announces all there is, and is silent": reexec.ErrTooLarge,
			"sends items":                           reexec.ErrProtocol,
			"prints":                                reexec.ErrTooLarge,
			"announces what it may, and is silent":  context.Canceled,
			"logs":                                  context.Canceled,
			"prints what it may":                    context.Canceled,
		} {
			t.Run(how, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				process := reexec.Process{Stderr: io.Discard, Stdout: told(cancel), Log: slog.DiscardHandler}
				if how == "prints what it may" {
					process.MaxStderr = -1
				}
				at := at
				at.starter = note(at.starter)
				on := at.mustOn(t, process)
				requireFlat(t, func(func()) {
					_, err := goOn.Call(ctx, on, how)
					require.ErrorIs(t, err, want)
				})
				at.starter.(noting).requireGone(t)
			})
		}
	})
}

// The result is larger than it may be, and its worker says so instead of sending it.
func TestPromise07AResultThatGrowsIsRefused(t *testing.T) {
	atBothEnds(t, func(t *testing.T, at place) {
		on := at.mustOn(t, reexec.Process{MaxResult: 1 << 20})
		requireFlat(t, func(func()) {
			_, err := sendText.Call(t.Context(), on, through)
			require.ErrorIs(t, err, reexec.ErrTooLarge)
			for _, err := range sendItem.Call(t.Context(), on, slack) {
				require.ErrorIs(t, err, reexec.ErrTooLarge)
			}
		})
	})
}
