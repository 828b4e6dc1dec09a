// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// target makes a throw-away target and opens its namespaces of the types t, in the order of Each.
func target(t testing.TB, s fixture.Spec, types ns.Type) []*ns.Handle {
	t.Helper()
	tgt := fixture.New(t, s)
	var hs []*ns.Handle
	for typ := range types.Each() {
		hs = append(hs, must(ns.OpenPID(tgt.PID, typ))(t))
	}
	return hs
}

// must fails the test on an error, and closes the Handle when the test ends.
func must(h *ns.Handle, err error) func(testing.TB) *ns.Handle {
	return func(t testing.TB) *ns.Handle {
		t.Helper()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, h.Close()) })
		return h
	}
}

// here returns the identity of the calling thread's namespace.
func here(t testing.TB, typ ns.Type) ns.ID {
	t.Helper()
	return must(ns.Current(typ))(t).ID()
}

// threads returns the number of threads of this process.
func threads(t testing.TB) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	return len(tasks)
}

// requireHome fails unless every thread of this process comes to be in the namespaces of its first
// one. A thread that Do has ended may be seen on its way out.
func requireHome(t testing.TB) {
	t.Helper()
	var strays []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); runtime.Gosched() {
		if strays = astray(t); len(strays) == 0 {
			return
		}
	}
	require.Empty(t, strays)
}

func astray(t testing.TB) (strays []string) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, task := range tasks {
		for typ := range ns.All.Each() {
			home, err := os.Readlink("/proc/self/ns/" + typ.String())
			require.NoError(t, err)
			got, err := os.Readlink("/proc/self/task/" + task.Name() + "/ns/" + typ.String())
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
				continue // the thread has ended
			}
			if err != nil {
				got = err.Error() // a thread on its way out may be closed to us
			}
			if got != home {
				strays = append(strays, task.Name()+" in "+got)
			}
		}
	}
	return strays
}

func TestDoEnters(t *testing.T) {
	fixture.Need(t, fixture.Root)
	types := ns.Net | ns.UTS | ns.IPC | ns.Cgroup | ns.Mount
	hs := target(t, fixture.Spec{Net: true, UTS: true, IPC: true, Cgroup: true, Mount: true, Hostname: "inside"}, types)
	for _, h := range hs {
		t.Run(h.Type().String(), func(t *testing.T) {
			outside := here(t, h.Type())
			err := ns.Do(func() error {
				require.Equal(t, h.ID(), here(t, h.Type()))
				require.NotEqual(t, unix.Getpid(), unix.Gettid())
				for other := range (types &^ h.Type()).Each() {
					require.Equal(t, must(ns.OpenPID(os.Getpid(), other))(t).ID(), here(t, other))
				}
				return unix.ENOTTY
			}, h)
			require.Equal(t, unix.ENOTTY, err)
			require.Equal(t, outside, here(t, h.Type()))
		})
	}
	t.Run("all", func(t *testing.T) {
		name, err := ns.Call(func() (string, error) {
			for _, h := range hs {
				require.Equal(t, h.ID(), here(t, h.Type()))
			}
			return os.Hostname()
		}, hs...)
		require.NoError(t, err)
		require.Equal(t, "inside", name)
	})
	requireHome(t)
}

func TestDoNested(t *testing.T) {
	fixture.Need(t, fixture.Root)
	a := target(t, fixture.Spec{Net: true, UTS: true, Mount: true}, ns.Net|ns.UTS|ns.Mount)
	mnt, net, uts := a[0], a[1], a[2]
	other := target(t, fixture.Spec{Net: true}, ns.Net)[0]
	err := ns.Do(func() error {
		require.NoError(t, ns.Do(func() error {
			require.Equal(t, other.ID(), here(t, ns.Net))
			require.Equal(t, mnt.ID(), here(t, ns.Mount))
			require.Equal(t, uts.ID(), here(t, ns.UTS))
			return nil
		}, other, uts))
		require.Equal(t, net.ID(), here(t, ns.Net))
		require.Equal(t, mnt.ID(), here(t, ns.Mount))
		return nil
	}, net, mnt)
	require.NoError(t, err)
	requireHome(t)
}

func TestDoPanic(t *testing.T) {
	fixture.Need(t, fixture.Root)
	for _, h := range target(t, fixture.Spec{Net: true, Mount: true}, ns.Net|ns.Mount) {
		value := &struct{ int }{7}
		require.PanicsWithValue(t, value, func() { _ = ns.Do(func() error { panic(value) }, h) })
	}
	requireHome(t)
}

func TestDoGoexit(t *testing.T) {
	fixture.Need(t, fixture.Root)
	for _, h := range target(t, fixture.Spec{Net: true, Mount: true}, ns.Net|ns.Mount) {
		after, done := true, make(chan struct{})
		go func() {
			defer close(done)
			_ = ns.Do(func() error { runtime.Goexit(); return nil }, h)
			after = false
		}()
		<-done
		require.True(t, after, "the caller went on")
	}
	requireHome(t)
}

func TestDoThreadsStayFlat(t *testing.T) {
	fixture.Need(t, fixture.Root)
	for _, h := range target(t, fixture.Spec{Net: true, Mount: true}, ns.Net|ns.Mount) {
		t.Run(h.Type().String(), func(t *testing.T) {
			for range 10_000 {
				main := false
				require.NoError(t, ns.Do(func() error { main = unix.Gettid() == unix.Getpid(); return nil }, h))
				require.False(t, main)
			}
			require.Less(t, threads(t), 40)
			requireHome(t)
		})
	}
}

func TestDoPIDMovesChildren(t *testing.T) {
	fixture.Need(t, fixture.Root)
	pid := target(t, fixture.Spec{PID: true}, ns.PID)[0]
	for range 100 {
		self := unix.Getpid()
		out, err := ns.Call(func() ([]byte, error) {
			require.Equal(t, self, unix.Getpid())
			return exec.Command("sh", "-c", "echo $$").Output()
		}, pid)
		require.NoError(t, err)
		inside, err := strconv.Atoi(strings.TrimSpace(string(out)))
		require.NoError(t, err)
		require.Less(t, inside, 300)
	}
	requireHome(t)
}

func BenchmarkDo(b *testing.B) {
	fixture.Need(b, fixture.Root)
	for _, h := range target(b, fixture.Spec{Net: true, Mount: true}, ns.Net|ns.Mount) {
		b.Run(h.Type().String(), func(b *testing.B) {
			for b.Loop() {
				_ = ns.Do(func() error { return nil }, h)
			}
		})
	}
}
