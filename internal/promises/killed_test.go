// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// places are those in the constructor where a process can be killed, for the modes of the victim whose plans get there.
var places = map[string][]string{
	"call":    {"guard0", "step0", "step1", "step2", "tie0", "report0", "finish0"},
	"relay":   {"step0", "step1", "child0", "relay0", "step2", "tie0", "report0", "finish0"},
	"lower":   {"helper0", "finish0"},
	"unshare": {"guard0", "step0", "step1", "child0", "relay0", "tie0", "report0"},
	"command": {"guard0", "step0", "child0", "relay0", "tie0", "report0", "execute0"},
}

// soon is how long processes may take to end, and afterwards how long other tests wait for what should take no time, on a machine
// that is busy with yet others.
const (
	soon       = time.Second
	afterwards = 5 * time.Second
)

// buildVictim builds the victim with pauses, once.
var buildVictim = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "airlock-victim-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "victim")
	out, err := exec.Command("go", "build", "-tags", "airlock_pause", "-o", path, "./victim").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: "go build: " + string(out), Err: err}
	}
	return path, nil
})

// quarry is a target and a victim that enters it, by its mode.
func quarry(t *testing.T) (victim func(mode string, more ...string) []string) {
	t.Helper()
	fixture.Need(t, fixture.Cgo, fixture.Program("go"))
	program, err := buildVictim()
	require.NoError(t, err)
	target := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true})
	return func(mode string, more ...string) []string {
		return append([]string{program, mode, strconv.Itoa(target.PID)}, more...)
	}
}

func eachPlace(t *testing.T, f func(t *testing.T, mode, place string)) {
	for mode, list := range places {
		for _, place := range list {
			t.Run(mode+"/"+place, func(t *testing.T) {
				t.Parallel()
				f(t, mode, place)
			})
		}
	}
}

func TestPromise04CallerKilledWhileAProcessIsAtAPlace(t *testing.T) {
	victim := quarry(t)
	t.Run("at", func(t *testing.T) {
		eachPlace(t, func(t *testing.T, mode, place string) {
			k := hunted(t, hunt{Victim: victim(mode), Place: place})
			require.False(t, k.Missed, k.Said)
			require.Empty(t, k.Left)
			require.Less(t, k.After, soon)
		})
	})
}

// At random moments, in all that a caller does.
func TestPromise04CallerKilledAtAnyTime(t *testing.T) {
	victim := quarry(t)
	kills := 100
	if os.Getenv("AIRLOCK_FULL") != "" {
		kills = 2000
	}
	modes := []string{"call", "relay", "warm", "command", "sleep", "sleep without relay", "unshare", "lower"}
	var longest time.Duration
	for i := range kills {
		mode := modes[i%len(modes)]
		delay := rand.N(20 * time.Millisecond)
		k := hunted(t, hunt{Victim: victim(mode), Delay: delay})
		require.False(t, k.Missed, "%s: %s", mode, k.Said)
		require.Empty(t, k.Left, "%s, killed after %v", mode, delay)
		require.Less(t, k.After, soon, mode)
		longest = max(longest, k.After)
	}
	t.Logf("%d kills; the last process was gone after %v at most", kills, longest)
}

// It is the process that a worker dies with, not the thread that happened to start it.
func TestPromise04ThreadThatEnds(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	made := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true})
	target, err := launcher.PID(made.PID, ns.All)
	require.NoError(t, err)
	defer target.Close()
	var pool reexec.Pool
	defer pool.Close()
	on := pool.On(0, target)
	onThreadThatEnds(func() {
		_, err := getpid.Call(context.Background(), on, struct{}{})
		require.NoError(t, err)
	})
	cmd := launcher.Command(target, "sleep", "60")
	onThreadThatEnds(func() { require.NoError(t, cmd.Start()) })

	_, err = getpid.Call(context.Background(), on, struct{}{})
	require.NoError(t, err)
	require.EqualValues(t, 1, pool.Stats().Warm, "the worker was gone")
	require.True(t, running(cmd.Process.Pid))
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
}

var getpid = reexec.Register("getpid", func(context.Context, struct{}) (int, error) { return os.Getpid(), nil })

// onThreadThatEnds runs f on a thread that has ended when this returns, as far as the kernel tells.
func onThreadThatEnds(f func()) {
	ended := make(chan string)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread does not end; while it is here, another will do it
			defer runtime.UnlockOSThread()
			onThreadThatEnds(f)
			ended <- ""
			return
		}
		f()
		ended <- fmt.Sprintf("/proc/self/task/%d", unix.Gettid()) // and the lock stays
	}()
	for thread := <-ended; thread != ""; runtime.Gosched() {
		if _, err := os.Stat(thread); err != nil {
			return
		}
	}
}

func TestPromise05WorkerOrRelayKilledAtAPlace(t *testing.T) {
	victim := quarry(t)
	t.Run("at", func(t *testing.T) {
		eachPlace(t, func(t *testing.T, mode, place string) {
			k := hunted(t, hunt{Victim: victim(mode, "once"), Place: place, Prey: true})
			require.False(t, k.Missed, k.Said)
			require.Empty(t, k.Left)
			require.Less(t, k.After, soon)
			var out struct{ Err, Stage, Op string }
			require.NoError(t, json.Unmarshal([]byte(k.Said), &out), k.Said)
			switch place {
			case "relay0":
				// The child does not wait for its relay, and may have done all by then.
				if out.Err != "" {
					require.Contains(t, out.Err, "killed")
				}
			case "execute0":
				require.Contains(t, out.Err, "killed") // as if the program had been
			case "helper0":
				require.Equal(t, "root", out.Op, out.Err)
			default:
				require.Equal(t, "report", out.Op, out.Err)
				require.Contains(t, out.Err, "killed")
				if mode != "command" {
					require.Equal(t, "start", out.Stage, out.Err)
				}
			}
		})
	})
}
