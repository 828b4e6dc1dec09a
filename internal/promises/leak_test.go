// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// footing is what a process has.
type footing struct{ Descriptors, Threads, Goroutines, RSS int }

func stand() footing {
	runtime.GC()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		panic(err)
	}
	return footing{len(ownDescriptors()), len(threads), runtime.NumGoroutine(), rss()}
}

// load says how a role calls.
type load struct {
	Calls, AtOnce int
	NoGC          bool   // nothing is collected, and so nothing finalized
	Descriptors   uint64 // RLIMIT_NOFILE, getrlimit(2); 0: as it is
	PID           string // of the target, see innerPID
}

// toll is what calls cost that have ended.
type toll struct {
	Before, After footing
	RSS           []int // at ten times
	Outcomes      map[string]int
	Wrong         []string // calls that ended in another way than they should
	Child         string   // that was not waited for
}

func init() { roles["loaded"] = loaded }

func loaded(argument string) int {
	var l load
	if _, err := fmt.Sscan(argument, &l.Calls, &l.AtOnce, &l.NoGC, &l.Descriptors, &l.PID); err != nil {
		return answer(nil, err)
	}
	places, err := placesAround(l.PID)
	if err != nil {
		return answer(nil, err)
	}
	if l.NoGC {
		debug.SetGCPercent(-1)
	}
	if l.Descriptors != 0 {
		limit := unix.Rlimit{Cur: l.Descriptors, Max: l.Descriptors}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			return answer(nil, err)
		}
	}
	t := &toll{Outcomes: map[string]int{}}
	// Workers that wait for a call have descriptors of the caller. So none does whenever those are counted.
	share := l.Calls / 10
	callAll(l, places, 0, share, t)
	t.Before = stand()
	for i := range 10 {
		callAll(l, places, (i+1)*share, share, t)
		t.RSS = append(t.RSS, rss())
	}
	t.settle()
	if err := childless(); err != nil {
		t.Child = err.Error()
	}
	return answer(t, nil)
}

// settle waits until the footing is what it was: ends of goroutines and threads cannot be waited for.
func (t *toll) settle() {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(interval) {
		t.After = stand()
		if t.After.Descriptors <= t.Before.Descriptors && t.After.Goroutines <= t.Before.Goroutines {
			return
		}
	}
}

// callAll makes calls in turn at all places and of all kinds.
func callAll(l load, places map[string]place, from, calls int, t *toll) {
	var pool reexec.Pool
	defer pool.Close()
	pool.MaxIdle = l.AtOnce
	names := slices.Sorted(maps.Keys(places))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for first := range l.AtOnce {
		wg.Go(func() {
			for i := from + first; i < from+calls; i += l.AtOnce {
				at := places[names[i%len(names)]]
				on := reexec.Runner(&reexec.Process{Starter: at.starter, Stdout: io.Discard})
				if at.warm {
					on = pool.On(fmt.Sprintf("%T", at.starter), at.starter)
				}
				kind := i % len(kinds) // the numbers of both have no common divisor
				err := kinds[kind].call(on)
				mu.Lock()
				t.Outcomes[kinds[kind].name]++
				if !errors.Is(err, kinds[kind].want) {
					t.Wrong = append(t.Wrong, fmt.Sprintf("%s, %s: %v", names[i%len(names)], kinds[kind].name, err))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// kinds are the calls of a mix.
var kinds = []struct {
	name string
	want error
	call func(on reexec.Runner) error
}{
	{"success", nil, func(on reexec.Runner) error { _, err := whoami.Call(context.Background(), on, struct{}{}); return err }},
	{"failure", unix.EPERM, func(on reexec.Runner) error {
		_, err := failOnly.Call(context.Background(), on, struct{}{})
		return err
	}},
	{"cancelled", context.DeadlineExceeded, func(on reexec.Runner) error {
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Millisecond)
		defer cancel()
		_, err := waitFor.Call(ctx, on, struct{}{})
		return err
	}},
	{"stream", nil, func(on reexec.Runner) error {
		for _, err := range sendParcels.Call(context.Background(), on, []int{0, 1000, 100_000}) {
			if err != nil {
				return err
			}
		}
		return nil
	}},
	{"stream that is left", nil, func(on reexec.Runner) error {
		for _, err := range pieces.Call(context.Background(), on, struct{}{}) {
			return err
		}
		return io.ErrUnexpectedEOF
	}},
	{"files", nil, func(on reexec.Runner) error {
		null, err := os.Open("/dev/null")
		if err != nil {
			return err
		}
		defer null.Close()
		back, err := sameFile.Call(context.Background(), on, reexec.File{File: null})
		if err != nil {
			return err
		}
		return back.Close()
	}},
	{"death", reexec.ErrNoResult, func(on reexec.Runner) error {
		_, err := goWrong.Call(context.Background(), on, "is killed")
		return err
	}},
}

var (
	waitFor  = reexec.Register("wait for ever", func(context.Context, struct{}) (int, error) { select {} })
	sameFile = reexec.Register("same file", func(_ context.Context, f reexec.File) (reexec.File, error) {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
		return reexec.File{File: os.NewFile(uintptr(fd), f.Name())}, err
	})
)

func (l load) run(t *testing.T) toll {
	t.Helper()
	began := time.Now()
	bill := ask[toll](t, "loaded", fmt.Sprintf("%d %d %t %d %s", l.Calls, l.AtOnce, l.NoGC, l.Descriptors, innerPID(t)))
	t.Logf("%d calls in %v: %v; before %+v, after %+v, rss in MiB: %v",
		l.Calls+l.Calls/10, time.Since(began).Round(time.Millisecond), bill.Outcomes, bill.Before, bill.After, mebibytes(bill.RSS))
	require.Empty(t, bill.Wrong)
	require.Len(t, bill.Outcomes, len(kinds))
	require.Empty(t, bill.Child)
	require.LessOrEqual(t, bill.After.Descriptors, bill.Before.Descriptors)
	require.LessOrEqual(t, bill.After.Goroutines, bill.Before.Goroutines)
	require.LessOrEqual(t, bill.After.Threads, bill.Before.Threads+8, "the runtime keeps threads: a few more, but not one a call")
	return bill
}

func mebibytes(bytes []int) (out []int) {
	for _, n := range bytes {
		out = append(out, n>>20)
	}
	return out
}

func calls(everyDay int) int {
	switch {
	case full:
		return 10_000
	case raceEnabled:
		return everyDay / 4
	}
	return everyDay
}

func TestPromise02NoLeakOverManyCalls(t *testing.T) {
	bill := load{Calls: calls(600), AtOnce: 4}.run(t)
	// The heap has its size after half of the calls.
	require.Less(t, bill.RSS[9], bill.RSS[4]+16<<20, "%v", mebibytes(bill.RSS))
}

func TestPromise02NothingWaitsForTheGarbageCollector(t *testing.T) {
	load{Calls: calls(200), AtOnce: 4, NoGC: true}.run(t)
}

func TestPromise02SixtyFourDescriptorsAreEnough(t *testing.T) {
	load{Calls: calls(200), AtOnce: 2, Descriptors: 64}.run(t)
}
