// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// onThread runs f on a thread of its own, not the main one, which ends with f.
func onThread(t *testing.T, f func()) {
	t.Helper()
	var tid int
	done := make(chan struct{})
	var run func()
	run = func() {
		runtime.LockOSThread()
		if tid = unix.Gettid(); tid == unix.Getpid() {
			next := make(chan struct{})
			go func() { defer close(next); run() }()
			<-next
			runtime.UnlockOSThread()
			return
		}
		f()
	}
	go func() { defer close(done); run() }()
	<-done
	requireGone(t, tid)
}

// requireGone fails unless the thread comes to its end.
func requireGone(t *testing.T, tid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return unix.Tgkill(unix.Getpid(), tid, 0) == unix.ESRCH
	}, time.Minute, time.Millisecond, "thread %d lives", tid)
}

// drop takes a capability from the calling thread alone.
func drop(t *testing.T, capability uint) {
	t.Helper()
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	require.NoError(t, unix.Capget(&h, &d[0]))
	d[capability/32].Effective &^= 1 << (capability % 32)
	require.NoError(t, unix.Capset(&h, &d[0]))
}

func TestEnterMovesTheThread(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.All &^ (ns.User | ns.Time)})
	onThread(t, func() {
		require.NoError(t, ns.Enter(set.Handles()...))
		for _, h := range set.Handles() {
			if h.Type() != ns.PID {
				require.Equal(t, h.ID(), here(t, h.Type()))
			}
		}
		children, err := ns.Open("/proc/thread-self/ns/pid_for_children")
		require.NoError(t, err)
		require.Equal(t, set.Handle(ns.PID).ID(), children.ID())
		require.NoError(t, children.Close())
	})
	requireHome(t)
}

func TestEnterLocksTheGoroutine(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
	tids := make(chan int)
	go func() {
		if err := ns.Enter(h); err != nil {
			t.Error(err)
		}
		tids <- unix.Gettid()
	}()
	tid := <-tids
	require.NotEqual(t, unix.Getpid(), tid)
	requireGone(t, tid)
	requireHome(t)
}

func TestEnterFailsWhole(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Net | ns.UTS | ns.Mount})
	onThread(t, func() {
		drop(t, unix.CAP_SYS_CHROOT) // the mount namespace is the last, and needs it
		err := ns.Enter(set.Handles()...)
		require.ErrorIs(t, err, unix.EPERM)
		require.ErrorIs(t, err, ns.ErrStuck, "its directories are not the process's any more")
		var typed *ns.Error
		require.ErrorAs(t, err, &typed)
		require.Equal(t, "enter", typed.Op)
		require.Equal(t, set.Handle(ns.Mount).File().Name(), typed.Ref)
		for _, h := range set.Handles() {
			require.NotEqual(t, h.ID(), here(t, h.Type()))
		}
	})
}

// In a user namespace the pid namespace may be one of outside, to which the way back is closed.
func TestEnterStuck(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.PID | ns.Mount})
	_, closed := must(ns.Current(ns.PID))(t).Owner()
	onThread(t, func() {
		drop(t, unix.CAP_SYS_CHROOT)
		err := ns.Enter(set.Handles()...)
		require.ErrorIs(t, err, unix.EPERM)
		require.ErrorIs(t, err, ns.ErrStuck)
		children := must(ns.Open("/proc/thread-self/ns/pid_for_children"))(t)
		require.Equal(t, closed != nil, children.ID() == set.Handle(ns.PID).ID())
	})
	requireHome(t)
}

func TestDoFailsWhole(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Net})
	pid := newSet(t, ns.Spec{Types: ns.PID})
	require.NoError(t, pid.Close())
	ran := false
	err := ns.Do(func() error { ran = true; return nil }, set.Handle(ns.Net), pid.Handle(ns.PID))
	require.ErrorIs(t, err, os.ErrClosed)
	require.False(t, ran)
	err = ns.Do(func() error { ran = true; return nil }, set.Handle(ns.Net), set.Handle(ns.Net))
	require.ErrorIs(t, err, unix.EINVAL)
	require.False(t, ran)
	requireHome(t)
}

func TestDoWhenThereIsNoWayBack(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
	tid, err := ns.Call(func() (int, error) {
		drop(t, unix.CAP_SYS_ADMIN)
		return unix.Gettid(), nil
	}, h)
	require.NoError(t, err, "the function ran, and that is what counts")
	requireGone(t, tid)
	requireHome(t)
	require.NoError(t, ns.Do(func() error { return nil }, h), "other threads have kept the capability")
}

func TestDoUserAndTime(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.User | ns.Time})
	for typ, errno := range map[ns.Type]error{ns.User: unix.EINVAL, ns.Time: unix.EUSERS} {
		err := ns.Do(func() error { return nil }, set.Handle(typ))
		require.ErrorIs(t, err, ns.ErrMultithreaded)
		require.ErrorIs(t, err, errno)
		require.ErrorIs(t, ns.Enter(set.Handle(typ)), ns.ErrMultithreaded)
		require.NoError(t, ns.Do(func() error { return nil }, must(ns.Current(typ))(t)), "one's own is no step")
	}
}

func TestGo(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set, err := ns.New(ns.Spec{Types: ns.Net | ns.Mount})
	require.NoError(t, err)
	want := set.Handle(ns.Net).ID()
	outer := newSet(t, ns.Spec{Types: ns.UTS}).Handle(ns.UTS)
	closed, got := make(chan struct{}), make(chan ns.ID, 2)
	require.NoError(t, ns.Do(func() error {
		return ns.Go(func() {
			<-closed
			got <- here(t, ns.Net)
			// A visit inside one that has outlived the Handles.
			err := ns.Do(func() error { got <- here(t, ns.UTS); return nil })
			if err != nil {
				t.Error(err)
			}
		}, set.Handles()...)
	}, outer))
	require.NoError(t, set.Close())
	close(closed)
	require.Equal(t, want, <-got)
	require.Equal(t, outer.ID(), <-got)
	require.ErrorIs(t, ns.Go(func() {}, set.Handle(ns.Net)), os.ErrClosed)

	done := make(chan struct{})
	require.NoError(t, ns.Go(func() { defer close(done); runtime.Goexit() }, outer))
	<-done
	requireHome(t)
}

func TestDoWithoutNamespaces(t *testing.T) {
	require.NoError(t, ns.Do(func() error {
		require.NotEqual(t, unix.Getpid(), unix.Gettid())
		return nil
	}))
	v, err := ns.Call(func() (int, error) { return 7, unix.ENOTTY })
	require.Equal(t, 7, v)
	require.Equal(t, unix.ENOTTY, err)
}

func TestDoInParallel(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Net | ns.Mount | ns.UTS})
	errs := make(chan error)
	for i := range 1000 {
		h := set.Handles()[i%3]
		go func() {
			errs <- ns.Do(func() error {
				cur, err := ns.Current(h.Type())
				if err != nil {
					return err
				}
				defer cur.Close()
				if cur.ID() != h.ID() || unix.Gettid() == unix.Getpid() {
					return unix.EXDEV
				}
				return nil
			}, h)
		}()
	}
	for range 1000 {
		require.NoError(t, <-errs)
	}
	requireHome(t)
}
