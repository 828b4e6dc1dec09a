// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// executed is made by the program that a hostile target puts where a worker may take it for its own.
const (
	executed = "/mnt/executed"
	trap     = "#!/bin/sh\necho >>" + executed + "\n"
)

// procs are what a target may do to the /proc of a worker, from inside it, by name.
var procs = map[string]func() error{
	"its own": func() error { return nil },
	"none":    func() error { return cover("/proc") },
	"a fake": func() error {
		if err := cover("/proc"); err != nil {
			return err
		}
		return setTraps("/proc/self")
	},
	"a mount over the process": func() error {
		if err := setTraps("/mnt/self"); err != nil {
			return err
		}
		return unix.Mount("/mnt/self", fmt.Sprintf("/proc/%d", os.Getpid()), "", unix.MS_BIND, "")
	},
}

func cover(path string) error { return unix.Mount("trap", path, "tmpfs", 0, "") }

func setTraps(dir string) error {
	if err := os.MkdirAll(dir+"/fd", 0o755); err != nil {
		return err
	}
	names := []string{"exe"}
	for fd := 3; fd < 64; fd++ {
		names = append(names, fmt.Sprint("fd/", fd))
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(trap), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// nesting is what a worker is asked for: to call once more.
type nesting struct {
	Proc string // of procs
	Plan bool   // by way of the constructor
}

var nest = reexec.Register("nest", func(ctx context.Context, n nesting) (int, error) {
	if err := procs[n.Proc](); err != nil {
		return 0, fmt.Errorf("%w: %w", errUnprepared, err)
	}
	on := reexec.In(nil)
	if n.Plan {
		on = reexec.In(cnsenter.Plan{cnsenter.Setsid()})
	}
	return whoami.Call(ctx, on, struct{}{})
})

var wasExecuted = reexec.Register("was executed", func(context.Context, struct{}) (bool, error) {
	_, err := os.Stat(executed)
	return err == nil, nil
})

// start starts a plan with cnsenter alone.
var startInside = reexec.Register("start inside", func(_ context.Context, proc string) (string, error) {
	if err := procs[proc](); err != nil {
		return "", fmt.Errorf("%w: %w", errUnprepared, err)
	}
	cmd := inRole("silent", "")
	err := cnsenter.Plan{cnsenter.Setsid()}.Start(cmd)
	if err == nil {
		return "started", cmd.Wait()
	}
	return err.Error(), nil
})

var errUnprepared = fmt.Errorf("the target cannot do that to /proc")

func init() {
	reexec.RegisterError("unprepared", errUnprepared)
	roles["silent"] = func(string) int { return 0 }
}

// A worker that calls, or starts a plan, does so with its own program, or not at all.
func TestPromise19NestedCallRunsNoFileOfTheTarget(t *testing.T) {
	for proc := range procs {
		t.Run(proc, func(t *testing.T) {
			_, opened := target(t, fixture.Spec{User: true, Mount: true, PID: true})
			on := reexec.In(opened)
			for _, plan := range []bool{false, true} {
				pid, err := nest.Call(t.Context(), on, nesting{proc, plan})
				if proc == "its own" {
					require.NoError(t, err)
					require.Positive(t, pid)
				} else {
					require.NotErrorIs(t, err, errUnprepared)
					require.ErrorIs(t, err, reexec.ErrNoImage)
				}
			}
			says, err := startInside.Call(t.Context(), on, proc)
			require.NoError(t, err)
			if proc == "its own" {
				require.Equal(t, "started", says)
			} else {
				require.Contains(t, says, "cnsenter: start /proc/self/exe: "+cnsenter.ErrNoImage.Error())
			}
			hit, err := wasExecuted.Call(t.Context(), on, struct{}{})
			require.NoError(t, err)
			require.False(t, hit)
		})
	}
	t.Run("a root directory without /proc", func(t *testing.T) {
		_, opened := target(t, fixture.Spec{User: true, Mount: true, Root: true, NoProc: true})
		_, err := nest.Call(t.Context(), reexec.In(opened), nesting{Proc: "its own"})
		require.ErrorIs(t, err, reexec.ErrNoImage)
	})
	t.Run("no join of a pid namespace", func(t *testing.T) {
		_, opened := target(t, fixture.Spec{User: true, Mount: true, Net: true})
		require.False(t, opened.Types().Has(ns.PID))
		_, err := nest.Call(t.Context(), reexec.In(opened), nesting{Proc: "its own"})
		require.NoError(t, err)
	})
}
