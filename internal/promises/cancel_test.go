// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

// bound is far above what a call takes that has been cancelled, and far below what it would take otherwise.
const bound = 20 * time.Second

var (
	openFIFO = reexec.Register("open a FIFO", func(_ context.Context, path string) (int, error) {
		fmt.Println("opens")
		_, err := os.Open(path)
		return 0, err
	})
	stopSelf = reexec.Register("stop", func(context.Context, struct{}) (int, error) {
		fmt.Println("stops")
		unix.Kill(os.Getpid(), unix.SIGSTOP)
		select {}
	})
	spin = reexec.Register("spin", func(context.Context, struct{}) (int, error) {
		fmt.Println("spins")
		for n := 1; n != 0; n += 2 { // odd for ever
		}
		return 0, nil
	})
	deaf = reexec.Register("deaf", func(ctx context.Context, _ struct{}) (int, error) { // does not listen to its context
		fmt.Println("is deaf")
		<-ctx.Done()
		select {}
	})
)

var errWhy = errors.New("why")

// requireCancelled makes a call at the place, cancels it when its worker says that it runs, and asks that it ends, with its worker.
func requireCancelled(t *testing.T, at place, call func(ctx context.Context, on reexec.Runner) error) {
	t.Helper()
	at.starter = note(at.starter)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var asked time.Time
	on := at.mustOn(t, reexec.Process{Stdout: told(func() { asked = time.Now(); cancel(errWhy) })})
	err := call(ctx, on)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, errWhy)
	require.NotErrorIs(t, err, reexec.ErrStuck)
	require.Less(t, time.Since(asked), bound)
	at.starter.(noting).requireGone(t)
}

func TestPromise11CancellationEndsTheCall(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o644))
	everywhere(t, func(t *testing.T, at place) {
		for name, call := range map[string]func(ctx context.Context, on reexec.Runner) error{
			"in a FIFO": func(ctx context.Context, on reexec.Runner) error { _, err := openFIFO.Call(ctx, on, fifo); return err },
			"stopped": func(ctx context.Context, on reexec.Runner) error {
				_, err := stopSelf.Call(ctx, on, struct{}{})
				return err
			},
			"spinning": func(ctx context.Context, on reexec.Runner) error {
				_, err := spin.Call(ctx, on, struct{}{})
				return err
			},
			"nested": func(ctx context.Context, on reexec.Runner) error { _, err := hang.Call(ctx, on, 1); return err },
			"a stream": func(ctx context.Context, on reexec.Runner) (last error) {
				for _, err := range hangLater.Call(ctx, on, struct{}{}) {
					last = err
				}
				return last
			},
		} {
			t.Run(name, func(t *testing.T) { requireCancelled(t, at, call) })
		}
	})
}

// The deadline is the caller's affair: the worker does not listen to its context.
func TestPromise11ADeadlineEndsTheCall(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		on := at.mustOn(t, reexec.Process{Stdout: told(func() {})})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := deaf.Call(ctx, on, struct{}{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, reexec.ErrStuck)
		require.Less(t, time.Since(began), bound)
	})
}

func TestPromise11NothingIsStartedForADoneContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errWhy)
	everywhere(t, func(t *testing.T, at place) {
		noted := note(at.starter)
		on := place{starter: noted}.mustOn(t, reexec.Process{})
		if at.warm {
			on = (&reexec.Pool{}).On("", noted)
		}
		_, err := whoami.Call(ctx, on, struct{}{})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errWhy)
		for _, err := range pieces.Call(ctx, on, struct{}{}) {
			require.ErrorIs(t, err, errWhy)
		}
		require.Zero(t, noted.last.Load())
	})
}

// A worker that is frozen by cgroups v2 dies; by v1 it does once it is thawed, and the call does not wait for that.
func TestPromise11AFrozenWorkerDoesNotHoldTheCallUp(t *testing.T) {
	for name, kind := range map[string]fixture.FreezerKind{"v1": fixture.FreezerV1, "v2": fixture.FreezerV2} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, at place) {
				freezer := kind.New(t)
				noted := note(at.starter)
				at.starter = noted
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				frozen := make(chan error, 1)
				on := at.mustOn(t, reexec.Process{Grace: 100 * time.Millisecond, Stdout: told(func() {
					frozen <- errors.Join(freezer.Add(noted.pid()), freezer.Freeze())
					cancel()
				})})
				defer freezer.Thaw() // before the pool is closed
				began := time.Now()
				_, err := hang.Call(ctx, on, 0)
				require.NoError(t, <-frozen)
				require.Less(t, time.Since(began), bound)
				require.ErrorIs(t, err, context.Canceled)
				requireStuck(t, name == "v1", err, noted, freezer.Thaw)
			})
		})
	}
}

// requireStuck asks that the worker is there although the call has ended, and says so, and ends when it can; or else that it has ended.
func requireStuck(t *testing.T, stuck bool, err error, noted noting, release func() error) {
	t.Helper()
	if !stuck {
		require.NotErrorIs(t, err, reexec.ErrStuck)
		noted.requireGone(t)
		return
	}
	require.ErrorIs(t, err, reexec.ErrStuck)
	require.NoError(t, unix.Kill(noted.pid(), 0))
	require.NoError(t, release())
	require.Eventually(t, func() bool { return unix.Kill(noted.pid(), 0) == unix.ESRCH }, patience, interval)
}

// The constructor freezes when it joins the cgroup: there is no worker yet that could be heard of.
func TestPromise11AFrozenStartDoesNotHoldTheCallUp(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	freezer := fixture.FreezerV1.New(t)
	require.NoError(t, freezer.Freeze())
	procs, err := os.OpenFile(freezer.Path()+"/cgroup.procs", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer procs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	on := &reexec.Process{Starter: cnsenter.Plan{cnsenter.JoinCgroup(procs)}, Grace: 100 * time.Millisecond}
	began := time.Now()
	_, err = whoami.Call(ctx, on, struct{}{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, reexec.ErrStuck)
	require.Less(t, time.Since(began), bound)
	require.NoError(t, freezer.Thaw())
	require.Eventually(t, func() bool {
		left, err := os.ReadFile(freezer.Path() + "/cgroup.procs")
		return err == nil && len(left) == 0
	}, patience, interval)
}

// The worker waits for a file system that does not answer: it can be killed as long as its request has not been read, and else when the
// server is gone.
func TestPromise11ASilentFileSystemDoesNotHoldTheCallUp(t *testing.T) {
	for name, read := range map[string]bool{"the request is not read": false, "the request is read": true} {
		t.Run(name, func(t *testing.T) {
			fixture.Need(t, canFUSE)
			_, opened := target(t, fixture.Spec{User: true, Mount: true, PID: true})
			server, err := mountSilent.Call(t.Context(), reexec.In(opened), struct{}{})
			require.NoError(t, err)
			defer server.Close()
			greet(t, server.File)
			noted := note(opened)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := openSilent.Call(ctx, &reexec.Process{Starter: noted, Grace: 100 * time.Millisecond}, struct{}{})
				ended <- err
			}()
			awaitRequest(t, server.File)
			if read {
				_, err := unix.Read(int(server.Fd()), make([]byte, 1<<20))
				require.NoError(t, err)
			}
			cancel()
			select {
			case err = <-ended:
			case <-time.After(bound):
				require.Fail(t, "the call goes on")
			}
			require.ErrorIs(t, err, context.Canceled)
			requireStuck(t, read, err, noted, server.Close)
		})
	}
}
