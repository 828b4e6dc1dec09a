// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// namespaces gives the links in a task's directory of /proc.
func namespaces(task string) map[string]string {
	links := map[string]string{}
	paths, _ := filepath.Glob(task + "/ns/*")
	for _, path := range paths {
		if link, err := os.Readlink(path); err == nil { // or the thread has ended
			links[filepath.Base(path)] = link
		}
	}
	return links
}

// strays lists the threads that are somewhere else than home, or whose children would be.
func strays(home map[string]string) (found []string) {
	tasks, _ := filepath.Glob("/proc/self/task/*")
	for _, task := range tasks {
		for name, link := range namespaces(task) {
			if link != home[name] {
				found = append(found, fmt.Sprintf("%s: %s", task, link))
			}
		}
	}
	return found
}

// watchHome looks again and again, until done is closed, on whatever threads it runs, whether they are at home.
func watchHome(home map[string]string, done <-chan struct{}) error {
	for {
		runtime.LockOSThread()
		here := namespaces("/proc/thread-self")
		runtime.UnlockOSThread()
		for name, link := range home {
			if here[name] != link {
				return fmt.Errorf("a goroutine ran in %s", here[name])
			}
		}
		select {
		case <-done:
			return nil
		default:
			runtime.Gosched()
		}
	}
}

// handles opens namespaces that a thread may enter.
func handles(t *testing.T, made *fixture.Target, types ns.Type) (opened []*ns.Handle) {
	t.Helper()
	for typ := range types.Each() {
		h, err := ns.OpenPID(made.PID, typ)
		require.NoError(t, err)
		t.Cleanup(func() { h.Close() })
		opened = append(opened, h)
	}
	return opened
}

// crossings are calls of all kinds, each of which crosses into other namespaces or may.
func crossings(t *testing.T) (calls []func() error) {
	ctx := t.Context()
	call := func(on reexec.Runner) func() error {
		return func() error { _, err := whoami.Call(ctx, on, struct{}{}); return err }
	}
	calls = append(calls, call(nil), call(poolOf(t, reexec.Process{})))
	if fixture.Cgo.Unmet() == nil {
		made, opened := target(t, inner)
		for _, at := range placesOf(opened) {
			calls = append(calls, call(at.mustOn(t, reexec.Process{})))
		}
		calls = append(calls, func() error {
			for range pieces.Call(ctx, reexec.In(opened), struct{}{}) {
				break
			}
			return nil
		})
		if fixture.Root.Unmet() == nil {
			calls = append(calls, visits(t, made)...)
		}
	}
	return calls
}

// visits are visits by a thread of this process.
func visits(t *testing.T, made *fixture.Target) (calls []func() error) {
	for _, types := range []ns.Type{ns.Net, ns.UTS | ns.IPC, ns.Mount, ns.Mount | ns.Net, ns.PID} {
		hs := handles(t, made, types)
		for range 3 {
			calls = append(calls, func() error { return ns.Do(func() error { return nil }, hs...) })
		}
		calls = append(calls, func() error {
			if err := ns.Do(func() error { return os.ErrInvalid }, hs...); err != os.ErrInvalid {
				return fmt.Errorf("the error was %w", err)
			}
			return nil
		}, func() (err error) {
			defer func() {
				if recover() == nil {
					err = fmt.Errorf("no panic came")
				}
			}()
			return ns.Do(func() error { panic("inside") }, hs...)
		})
	}
	return calls
}

func TestPromise27TheCallersThreadsNeverMove(t *testing.T) {
	const total, atOnce = 1000, 16
	runtime.LockOSThread()
	home := namespaces("/proc/self") // of the main thread
	here := namespaces("/proc/thread-self")
	defer runtime.UnlockOSThread() // this goroutine's thread is one that must not move
	require.Equal(t, home, here)
	require.Contains(t, home, "pid_for_children")
	require.Empty(t, strays(home))

	calls := crossings(t)
	done := make(chan struct{})
	watched := make(chan error, 4)
	for range cap(watched) {
		go func() { watched <- watchHome(home, done) }()
	}
	failed := make(chan error, total)
	var wg sync.WaitGroup
	for first := range atOnce {
		wg.Go(func() {
			for i := first; i < total; i += atOnce {
				if err := calls[i%len(calls)](); err != nil {
					failed <- err
				}
			}
		})
	}
	wg.Wait()
	close(done)
	for range cap(watched) {
		require.NoError(t, <-watched)
	}
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return len(strays(home)) == 0 }, patience, 10*time.Millisecond, "threads that do not go back end")
	require.Equal(t, here, namespaces("/proc/thread-self"))
	require.Equal(t, home, namespaces("/proc/self"))
}
