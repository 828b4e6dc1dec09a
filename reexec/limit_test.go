// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/reexec"
)

var (
	repeat  = reexec.Register("repeat", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })
	endless = reexec.Register("endless stderr", func(context.Context, struct{}) (struct{}, error) {
		line := bytes.Repeat([]byte("x"), 4096)
		for {
			os.Stderr.Write(line)
		}
	})
)

func TestMaxResultAtItsEdge(t *testing.T) {
	for name, on := range map[string]func(p reexec.Process) reexec.Runner{
		"process": func(p reexec.Process) reexec.Runner { return &p },
		"pool": func(p reexec.Process) reexec.Runner {
			pool := &reexec.Pool{Process: p}
			t.Cleanup(func() { pool.Close() })
			return pool.On(1, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			const limit = 1000
			out, err := repeat.Call(bg(), on(reexec.Process{MaxResult: limit}), limit)
			require.NoError(t, err)
			require.Len(t, out, limit)
			out, err = repeat.Call(bg(), on(reexec.Process{MaxResult: limit}), limit+1)
			require.ErrorIs(t, err, reexec.ErrTooLarge)
			require.EqualError(t, err, "reexec: repeat: result: 1001 bytes: above the limit of 1000")
			require.Empty(t, out)
		})
	}
}

func TestMaxResultOfAStreamIsPerItem(t *testing.T) {
	on := &reexec.Process{MaxResult: 200}
	n := 0
	for _, err := range count.Call(bg(), on, order{N: 1000, Size: 100}) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 1000, n)
	for _, err := range count.Call(bg(), on, order{N: 1000, Size: 200}) {
		require.ErrorIs(t, err, reexec.ErrTooLarge)
	}
}

func TestMaxParamStartsNothing(t *testing.T) {
	on := &reexec.Process{MaxParam: 1000, Starter: noStart{t}}
	_, err := echo.Call(bg(), on, pair{Name: strings.Repeat("x", 1000)})
	require.ErrorIs(t, err, reexec.ErrTooLarge)
	var e *reexec.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, reexec.StageParam, e.Stage)
}

func TestMaxStderrEndsTheWorker(t *testing.T) {
	var stderr bytes.Buffer
	_, err := endless.Call(bg(), &reexec.Process{Stderr: &stderr, MaxStderr: 100_000}, struct{}{})
	require.ErrorIs(t, err, reexec.ErrTooLarge)
	require.LessOrEqual(t, stderr.Len(), 100_000)
	p := reexec.Pool{Process: reexec.Process{Stderr: io.Discard, MaxStderr: 100_000}}
	defer p.Close()
	_, err = endless.Call(bg(), p.On(1, nil), struct{}{})
	require.ErrorIs(t, err, reexec.ErrTooLarge)
}

var swallow = reexec.Register("swallow", func(_ context.Context, p pair) (int, error) { return len(p.Data), nil })

// The limit is one of results: an error and its records arrive whatever it is.
func TestMaxResultDoesNotHideAnError(t *testing.T) {
	_, err := failing.Call(bg(), &reexec.Process{MaxResult: 8}, struct{}{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NotErrorIs(t, err, reexec.ErrTooLarge)
}

var failing = reexec.Register("failing", func(context.Context, struct{}) (string, error) {
	_, err := os.Open("/no/such/file/as/this")
	return "", err
})
