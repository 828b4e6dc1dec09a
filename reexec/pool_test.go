// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

var (
	leave = reexec.Register("leave", func(_ context.Context, what string) (int, error) { return os.Getpid(), leavings[what]() })
	// tainted enters namespaces on a locked thread, and leaves it so.
	tainted = reexec.Register("tainted", func(context.Context, struct{}) (string, error) {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return "", err
		}
		return fmt.Sprint(unix.Gettid()), unix.Chdir("/proc")
	})
	workingDir = reexec.Register("getwd", func(context.Context, struct{}) (string, error) {
		runtime.LockOSThread()
		return os.Getwd()
	})
)

var leavings = map[string]func() error{
	"nothing":   func() error { return nil },
	"cwd":       func() error { return os.Chdir("/") },
	"umask":     func() error { unix.Umask(0o027); return nil },
	"env":       func() error { return os.Setenv("LEFT", "behind") },
	"goroutine": func() error { go func() { select {} }(); return nil },
	"fd":        func() error { _, err := unix.Open("/dev/null", unix.O_RDONLY, 0); return err },
	"stdin":     func() error { return unix.Close(0) },
	"error":     func() error { return unix.EPERM },
	"exit":      func() error { os.Exit(0); return nil },
}

func TestWarmWorkerIsUsedAgain(t *testing.T) {
	var p reexec.Pool
	defer p.Close()
	on := p.On("key", nil)
	first, err := pid.Call(bg(), on, struct{}{})
	require.NoError(t, err)
	for range 100 {
		again, err := pid.Call(bg(), on, struct{}{})
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
	other, err := pid.Call(bg(), p.On("other key", nil), struct{}{})
	require.NoError(t, err)
	require.NotEqual(t, first, other)
	require.Equal(t, reexec.Stats{Calls: 102, Cold: 2, Warm: 100, Started: 2, Idle: 2, Workers: 2}, p.Stats())
	b, err := json.Marshal(p.Stats())
	require.NoError(t, err)
	require.Contains(t, string(b), `"Warm":100`)
	require.NoError(t, p.Close())
	require.ErrorIs(t, unix.Kill(first, 0), unix.ESRCH, "Close waits for the workers")
	_, err = pid.Call(bg(), on, struct{}{})
	require.ErrorIs(t, err, reexec.ErrClosed)
}

func TestWorkerWithStateLeftIsThrownAway(t *testing.T) {
	for what := range leavings {
		t.Run(what, func(t *testing.T) {
			var p reexec.Pool
			defer p.Close()
			on := p.On(nil, nil)
			first, err := leave.Call(bg(), on, "nothing")
			require.NoError(t, err)
			same, err := leave.Call(bg(), on, what)
			if what != "error" && what != "exit" {
				require.NoError(t, err)
				require.Equal(t, first, same)
			}
			next, err := leave.Call(bg(), on, "nothing")
			require.NoError(t, err)
			if what == "nothing" {
				require.Equal(t, first, next)
			} else {
				require.NotEqual(t, first, next)
			}
		})
	}
}

// A worker that is kept with what a function has left is not kept waiting for it at every call.
func TestKeepChangedIsWarm(t *testing.T) {
	p := reexec.Pool{KeepChanged: true}
	defer p.Close()
	quickest := func(key string) time.Duration {
		best := time.Hour
		for range 20 {
			start := time.Now()
			_, err := leave.Call(bg(), p.On(key, nil), "nothing")
			require.NoError(t, err)
			best = min(best, time.Since(start))
		}
		return best
	}
	clean := quickest("clean")
	for _, what := range []string{"goroutine", "fd", "cwd"} {
		first, err := leave.Call(bg(), p.On(what, nil), what)
		require.NoError(t, err)
		require.Less(t, quickest(what), 20*clean, what)
		same, err := leave.Call(bg(), p.On(what, nil), "nothing")
		require.NoError(t, err)
		require.Equal(t, first, same)
	}
}

func TestLockedThreadDoesNotOutliveItsCall(t *testing.T) {
	var p reexec.Pool
	defer p.Close()
	on := p.On(nil, nil)
	_, err := tainted.Call(bg(), on, struct{}{})
	require.NoError(t, err)
	want, err := os.Getwd()
	require.NoError(t, err)
	for range 20 {
		dir, err := workingDir.Call(bg(), on, struct{}{})
		require.NoError(t, err)
		require.Equal(t, want, dir)
	}
}

func TestCloseIdle(t *testing.T) {
	var p reexec.Pool
	defer p.Close()
	gone, err := pid.Call(bg(), p.On("gone", nil), struct{}{})
	require.NoError(t, err)
	stays, err := pid.Call(bg(), p.On("stays", nil), struct{}{})
	require.NoError(t, err)
	p.CloseIdle("gone")
	require.ErrorIs(t, unix.Kill(gone, 0), unix.ESRCH, "CloseIdle waits for the workers")
	p.CloseIdle("never seen")
	again, err := pid.Call(bg(), p.On("stays", nil), struct{}{})
	require.NoError(t, err)
	require.Equal(t, stays, again)
	another, err := pid.Call(bg(), p.On("gone", nil), struct{}{})
	require.NoError(t, err)
	require.NotEqual(t, gone, another)
	require.Equal(t, 2, p.Stats().Idle)
}

func TestMaxCalls(t *testing.T) {
	p := reexec.Pool{MaxCalls: 3}
	defer p.Close()
	pids := map[int]int{}
	for range 9 {
		w, err := pid.Call(bg(), p.On(1, nil), struct{}{})
		require.NoError(t, err)
		pids[w]++
	}
	require.Len(t, pids, 3)
}

func TestMaxWorkersAndLRU(t *testing.T) {
	p := reexec.Pool{MaxWorkers: 2}
	defer p.Close()
	call := func(key int) int {
		w, err := pid.Call(bg(), p.On(key, nil), struct{}{})
		require.NoError(t, err)
		require.LessOrEqual(t, p.Stats().Workers, 2)
		return w
	}
	one, two := call(1), call(2)
	require.Equal(t, one, call(1)) // so 2 is the one that has waited longest
	three := call(3)
	require.Equal(t, one, call(1))
	require.Equal(t, three, call(3))
	require.NotEqual(t, two, call(2))
}

func TestMaxWorkersHoldsCallsUp(t *testing.T) {
	p := reexec.Pool{MaxWorkers: 2}
	defer p.Close()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := pid.Call(bg(), p.On(i%3, nil), struct{}{}); err != nil {
				t.Error(err)
			}
			if n := p.Stats().Workers; n > 2 {
				t.Errorf("%d workers", n)
			}
		})
	}
	wg.Wait()
}

func TestWaitingForAWorkerEndsWithTheContext(t *testing.T) {
	p := reexec.Pool{MaxWorkers: 1}
	defer p.Close()
	busy, release := context.WithCancel(bg())
	asleep := make(chan struct{})
	p.Process.Stdout = announce(func() { close(asleep) })
	done := make(chan error, 1)
	go func() {
		_, err := sleep.Call(busy, p.On(1, nil), "for ever")
		done <- err
	}()
	<-asleep
	ctx, cancel := context.WithTimeout(bg(), time.Millisecond)
	defer cancel()
	_, err := pid.Call(ctx, p.On(2, nil), struct{}{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	release()
	require.ErrorIs(t, <-done, context.Canceled)
	_, err = pid.Call(bg(), p.On(2, nil), struct{}{})
	require.NoError(t, err)
}

func TestIdleTimeoutEndsTheWorker(t *testing.T) {
	p := reexec.Pool{IdleTimeout: time.Millisecond}
	defer p.Close()
	w, err := pid.Call(bg(), p.On(1, nil), struct{}{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return unix.Kill(w, 0) == unix.ESRCH && p.Stats().Workers == 0 }, 10*time.Second, time.Millisecond)
	p = reexec.Pool{MaxIdle: -1}
	_, err = pid.Call(bg(), p.On(1, nil), struct{}{})
	require.NoError(t, err)
	require.Zero(t, p.Stats().Idle)
	require.NoError(t, p.Close())
}

func TestKilledIdleWorkerIsReapedAndReplaced(t *testing.T) {
	var p reexec.Pool
	defer p.Close()
	first, err := pid.Call(bg(), p.On(1, nil), struct{}{})
	require.NoError(t, err)
	require.NoError(t, unix.Kill(first, unix.SIGKILL))
	require.Eventually(t, func() bool { return p.Stats().Workers == 0 }, 10*time.Second, time.Millisecond, "no zombie is left")
	again, err := pid.Call(bg(), p.On(1, nil), struct{}{})
	require.NoError(t, err)
	require.NotEqual(t, first, again)
}

func TestPoolGivesTypedErrors(t *testing.T) {
	p := reexec.Pool{Process: reexec.Process{Stdout: io.Discard}}
	defer p.Close()
	_, err := pid.Call(bg(), p.On([]int{1}, nil), struct{}{})
	require.ErrorContains(t, err, "not comparable")
	_, err = pid.Call(bg(), p.On(1, startError{unix.EPERM}), struct{}{})
	require.ErrorIs(t, err, unix.EPERM)
	require.Zero(t, p.Stats().Workers)
	_, err = die.Call(bg(), p.On(1, nil), struct{}{})
	require.ErrorIs(t, err, reexec.ErrNoResult)
	require.ErrorContains(t, err, "signal: killed")
	require.Equal(t, uint64(3), p.Stats().Failures)
	ctx, cancel := context.WithTimeout(bg(), 20*time.Millisecond)
	defer cancel()
	_, err = sleep.Call(ctx, p.On(1, nil), "for ever")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestStreamsAndFilesOnAWarmWorker(t *testing.T) {
	var p reexec.Pool
	defer p.Close()
	on := p.On(1, nil)
	for range 3 {
		n := 0
		for _, err := range count.Call(bg(), on, order{N: 1000}) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, 1000, n)
		f, err := openFile.Call(bg(), on, "/dev/null")
		require.NoError(t, err)
		_, err = readShelf.Call(bg(), on, shelf{One: f})
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	require.Equal(t, uint64(1), p.Stats().Started, "descriptors that the calls had are closed in the worker")
	for range count.Call(bg(), on, order{N: 1 << 30}) {
		break
	}
	_, err := pid.Call(bg(), on, struct{}{})
	require.NoError(t, err)
	require.Equal(t, uint64(2), p.Stats().Started, "a broken-off stream ends its worker")
}

func TestReplacedProgramGoesOnWithItsOwnImage(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), "program")
	require.NoError(t, exec.Command("cp", self, program).Run())
	cmd := exec.Command(program, "-test.run=^TestSkewHelper$")
	cmd.Env = append(os.Environ(), "REEXEC_TEST_SKEW="+program)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestSkewHelper(t *testing.T) {
	program := os.Getenv("REEXEC_TEST_SKEW")
	if program == "" {
		return // only a helper of TestReplacedProgramGoesOnWithItsOwnImage
	}
	var p reexec.Pool
	defer p.Close()
	_, err := pid.Call(bg(), p.On(1, nil), struct{}{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(program))
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/false\n"), 0o755))
	_, err = pid.Call(bg(), p.On(2, nil), struct{}{})
	require.NoError(t, err)
}

func TestPoolUnderLoad(t *testing.T) {
	p := reexec.Pool{MaxWorkers: 8}
	defer p.Close()
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 50 {
				in := pair{Name: fmt.Sprint(g, i)}
				out, err := echo.Call(bg(), p.On(g%4, nil), in)
				if err != nil || out.Name != in.Name {
					t.Error(err, out.Name)
				}
				if i%10 == 9 {
					if _, err := fail.Call(bg(), p.On(g%4, nil), "errno"); !errors.Is(err, unix.EPERM) {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}
