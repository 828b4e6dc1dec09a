// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

var (
	failOnly = reexec.Register("fail", func(context.Context, struct{}) (int, error) { return 1, unix.EPERM })
	// hang says on standard output that it runs, and does so for ever; nested in another worker, if it is to be.
	hang = reexec.Register("hang", func(ctx context.Context, levels int) (int, error) {
		if levels > 0 {
			return hangBelow(ctx, levels-1)
		}
		fmt.Println("hangs")
		select {}
	})
	hangLater = reexec.RegisterStream("hang later", func(context.Context, struct{}) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			yield(1, nil)
			fmt.Println("hangs")
			select {}
		}
	})
)

// hangBelow is set later: hang would depend on itself.
var hangBelow func(ctx context.Context, levels int) (int, error)

func init() {
	hangBelow = func(ctx context.Context, levels int) (int, error) { return hang.Call(ctx, nil, levels) }
	roles["ender"] = ender
}

// ending is a way in which a call ends.
type ending struct {
	want error
	call func(ctx context.Context, cancel func(), at place) error
}

// calling makes a call, and ends a pool.
func calling(at place, process reexec.Process, call func(on reexec.Runner) error) error {
	on, end, err := at.on(process)
	if err == nil {
		err = call(on)
	}
	end()
	return err
}

var errEarly = errors.New("the caller has had enough")

// endings are those that are not wrongs of the function.
var endings = map[string]ending{
	"success": {nil, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{}, func(on reexec.Runner) error {
			_, err := whoami.Call(ctx, on, struct{}{})
			return err
		})
	}},
	"the function fails": {unix.EPERM, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{}, func(on reexec.Runner) error {
			_, err := failOnly.Call(ctx, on, struct{}{})
			return err
		})
	}},
	"cancelled": {context.Canceled, func(ctx context.Context, cancel func(), at place) error {
		return calling(at, reexec.Process{Stdout: told(cancel)}, func(on reexec.Runner) error {
			_, err := hang.Call(ctx, on, 0)
			return err
		})
	}},
	"cancelled two levels up": {context.Canceled, func(ctx context.Context, cancel func(), at place) error {
		return calling(at, reexec.Process{Stdout: told(cancel)}, func(on reexec.Runner) error {
			_, err := hang.Call(ctx, on, 2)
			return err
		})
	}},
	"cancelled before": {context.Canceled, func(ctx context.Context, cancel func(), at place) error {
		cancel()
		return calling(at, reexec.Process{}, func(on reexec.Runner) error {
			_, err := whoami.Call(ctx, on, struct{}{})
			return err
		})
	}},
	"out of time": {context.DeadlineExceeded, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{Stdout: io.Discard}, func(on reexec.Runner) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond) // most often while the worker is being started
			defer cancel()
			_, err := hang.Call(ctx, on, 0)
			return err
		})
	}},
	"the loop over a stream is left": {nil, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{}, func(on reexec.Runner) error {
			for _, err := range pieces.Call(ctx, on, struct{}{}) {
				return err
			}
			return errEarly
		})
	}},
	"the loop over a stream panics": {errEarly, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{}, func(on reexec.Runner) (err error) {
			defer func() { err, _ = recover().(error) }()
			for range pieces.Call(ctx, on, struct{}{}) {
				panic(errEarly)
			}
			return nil
		})
	}},
	"too much on standard error": {reexec.ErrTooLarge, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{Stderr: io.Discard, MaxStderr: 1 << 20}, func(on reexec.Runner) error {
			_, err := goOn.Call(ctx, on, "prints")
			return err
		})
	}},
	"too large a result": {reexec.ErrTooLarge, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{MaxResult: 1000}, func(on reexec.Runner) error {
			_, err := sendText.Call(ctx, on, 1001)
			return err
		})
	}},
	"too large a parameter": {reexec.ErrTooLarge, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{MaxParam: 1000}, func(on reexec.Runner) error {
			_, err := sameBytes.Call(ctx, on, make([]byte, 1001))
			return err
		})
	}},
}

// cannotStart is an ending at every place that has a constructor.
var cannotStart = ending{unix.ENOENT, func(ctx context.Context, _ func(), _ place) error {
	_, err := whoami.Call(ctx, reexec.In(cnsenter.Plan{cnsenter.Setsid(), cnsenter.Chdir("/no such directory")}), struct{}{})
	return err
}}

// census is what was left after calls, by place or by place and ending, and how many calls there were.
type census struct {
	Calls int
	Left  map[string][]string

	adopts bool
}

// ender ends calls in all ways and counts what is left. As one that adopts, it gets the children of workers and relays that are killed,
// PR_SET_CHILD_SUBREAPER in prctl(2), and expects them to end by themselves.
func ender(argument string) int {
	how, pid, _ := strings.Cut(argument, " ")
	places, err := placesAround(pid)
	if err != nil {
		return answer(nil, err)
	}
	c := &census{Left: map[string][]string{}, adopts: how == "adopts"}
	if c.adopts {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return answer(nil, err)
		}
	}
	for where, at := range places {
		c.count(where, at)
	}
	return answer(c, nil)
}

func (w wrong) ending(how string) ending {
	return ending{w.want, func(ctx context.Context, _ func(), at place) error {
		return calling(at, reexec.Process{Stderr: io.Discard}, func(on reexec.Runner) error {
			_, err := goWrong.Call(ctx, on, how)
			if err != nil && w.want == nil {
				return nil
			}
			return err
		})
	}}
}

// count makes calls at a place end in all ways, and notes what is left of them.
func (c *census) count(where string, at place) {
	left, err := fixture.Left(func() {
		for how, e := range endings {
			c.end(where+": "+how, at, e)
		}
		for how, w := range wrongs {
			c.end(where+": the function "+how, at, w.ending(how))
		}
		if cnsenter.Linked {
			c.end(where+": the start fails", at, cannotStart)
		}
	})
	if err != nil {
		left = append(left, err.Error())
	}
	if len(left) > 0 {
		c.Left[where] = left
	}
}

// end makes a call end. A zombie must not be there even for a moment.
func (c *census) end(name string, at place, e ending) {
	c.Calls++
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := e.call(ctx, cancel, at)
	if c.adopts {
		adopt()
	}
	if !errors.Is(err, e.want) {
		c.Left[name] = append(c.Left[name], fmt.Sprintf("the error is %v, not %v", err, e.want))
	}
	if err := childless(); err != nil {
		c.Left[name] = append(c.Left[name], "at once: "+err.Error())
	}
}

// adopt reaps what has become ours.
func adopt() {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(interval) {
		for {
			var status unix.WaitStatus
			pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WALL, nil)
			if err != nil {
				return // ECHILD: there is none
			}
			if pid == 0 {
				break // they are alive
			}
		}
	}
}

// childless is nil if this process has no child, alive or dead, that it has not waited for.
func childless() error {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err == unix.ECHILD {
		return nil
	}
	return fmt.Errorf("there is a child: waitid: %v", err)
}

func TestPromise03NoZombieAndNoOrphan(t *testing.T) {
	for _, how := range []string{"waits", "adopts"} {
		t.Run("a caller that "+how, func(t *testing.T) {
			c := ask[census](t, "ender", how+" "+innerPID(t))
			require.Empty(t, c.Left)
			require.GreaterOrEqual(t, c.Calls, 2*(len(endings)+len(wrongs)))
			t.Logf("%d calls ended", c.Calls)
		})
	}
}
