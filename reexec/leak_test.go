// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// mixed makes one call of a kind that i chooses; one in ten starts a process.
func mixed(i int, cold, warm reexec.Runner) error {
	switch i % 40 {
	case 0:
		_, err := echo.Call(bg(), cold, pair{Name: "x"})
		return err
	case 10:
		if _, err := fail.Call(bg(), cold, "errno"); !errors.Is(err, unix.EPERM) {
			return err
		}
		return nil
	case 20:
		f, err := openFile.Call(bg(), cold, "/dev/null")
		if err == nil {
			err = f.Close()
		}
		return err
	case 30:
		ctx, cancel := context.WithTimeout(bg(), time.Duration(i%7)*time.Millisecond)
		defer cancel()
		if _, err := sleep.Call(ctx, cold, "for ever"); !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return nil
	case 5, 15, 25, 35:
		for _, err := range count.Call(bg(), warm, order{N: 100}) {
			if err != nil {
				return err
			}
		}
		return nil
	case 7, 17:
		f, err := openFile.Call(bg(), warm, "/dev/null")
		if err == nil {
			err = f.Close()
		}
		return err
	}
	_, err := echo.Call(bg(), warm, pair{Name: "x"})
	return err
}

type footing struct{ fds, threads, goroutines, rss int }

func stand(t *testing.T) footing {
	runtime.GC()
	threads, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return footing{countFDs(t), len(threads), runtime.NumGoroutine(), rssOf(t, os.Getpid())}
}

func TestTenThousandMixedCallsLeaveNothing(t *testing.T) {
	calls := 10_000
	if testing.Short() || raceEnabled {
		calls = 1000
	}
	var p reexec.Pool
	defer p.Close()
	cold, warm := &reexec.Process{Stdout: io.Discard}, p.On(1, nil)
	run := func(calls int) {
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := g; i < calls; i += 4 {
					if err := mixed(i/4, cold, warm); err != nil {
						t.Errorf("call %d: %v", i, err)
					}
				}
			})
		}
		wg.Wait()
	}
	run(calls / 10)
	before := stand(t)
	run(calls)
	after := stand(t)
	// The number of idle workers may differ by those that the four goroutines happened to need at once.
	require.InDelta(t, before.fds, after.fds, 8)
	require.InDelta(t, before.goroutines, after.goroutines, 8)
	require.InDelta(t, before.threads, after.threads, 16)
	require.Less(t, after.rss, before.rss+64<<20)
	require.NoError(t, p.Close())
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	require.ErrorIs(t, err, unix.ECHILD)
}
