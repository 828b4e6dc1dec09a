// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// huge is far more than a socket takes.
var huge = map[bool]int{false: 64 << 20, true: 4 << 20}[raceEnabled]

var sum = reexec.Register("sum", func(_ context.Context, b []byte) (uint64, error) { return checksum(b), nil })

func checksum(b []byte) (sum uint64) {
	for len(b) >= 8 {
		sum = sum*31 + binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	return sum
}

func hugeParam() []byte {
	b := make([]byte, huge)
	for i := range huge / 8 {
		binary.LittleEndian.PutUint64(b[8*i:], uint64(i)*0x9e3779b97f4a7c15)
	}
	return b
}

// lateVariable has a worker do something before its Init, which reads the parameter: see late.
const lateVariable = "AIRLOCK_PROMISES_LATE"

// late are the ways of not reading. A worker's standard output is a pipe to the test.
var late = map[string]func(){
	"stopped": func() {
		os.Stdout.WriteString("stopped")
		unix.Kill(os.Getpid(), unix.SIGSTOP)
	},
	"busy": func() {
		os.Stdout.WriteString("busy")
		for begun := time.Now(); time.Since(begun) < time.Hour; {
		}
	},
	"late": func() { // until standard input ends
		os.Stdout.WriteString("late")
		io.Copy(io.Discard, os.Stdin)
	},
	"first": func() { // answers, and never reads
		scribble(frame(resultFrame, []byte("42")))
		os.Stdout.WriteString("first")
		select {}
	},
	"first, and ends": func() {
		scribble(frame(resultFrame, []byte("42")))
		os.Stdout.WriteString("first, and ends")
		os.Exit(0)
	},
	"ends": func() {
		os.Stdout.WriteString("ends")
		os.Exit(0)
	},
}

func init() {
	if how, set := os.LookupEnv(lateVariable); set {
		os.Unsetenv(lateVariable)
		late[how]()
	}
}

// told calls f when something is written to it.
type told func()

func (f told) Write(p []byte) (int, error) { f(); return len(p), nil }

func notReading(how string, stdout io.Writer) reexec.Process {
	return reexec.Process{Env: append(os.Environ(), lateVariable+"="+how), Stdout: stdout}
}

// The worker never reads its parameter: the call ends when its context does, or the worker.
func TestPromise09HugeParametersThatNobodyReads(t *testing.T) {
	param := hugeParam()
	for how, want := range map[string]error{
		"stopped": context.Canceled, "busy": context.Canceled,
		"first": reexec.ErrProtocol, "first, and ends": reexec.ErrProtocol, "ends": reexec.ErrNoResult,
	} {
		t.Run(how, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			hear := told(func() {
				if errors.Is(want, context.Canceled) {
					cancel()
				}
			})
			process := notReading(how, hear)
			for name, on := range map[string]reexec.Runner{"process": &process, "pool": poolOf(t, process)} {
				_, err := sum.Call(ctx, on, param)
				require.ErrorIs(t, err, want, name)
				require.NotErrorIs(t, err, reexec.ErrStuck, name)
			}
		})
	}
}

func poolOf(t *testing.T, process reexec.Process) reexec.Runner {
	pool := &reexec.Pool{Process: process}
	t.Cleanup(func() { pool.Close() })
	return pool.On("", nil)
}

func TestPromise09HugeParametersThatAreReadLate(t *testing.T) {
	param := hugeParam()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	process := notReading("late", told(func() { w.Close() }))
	process.Stdin = r
	got, err := sum.Call(t.Context(), &process, param)
	require.NoError(t, err)
	require.Equal(t, checksum(param), got)
}

func TestPromise09HugeParametersAndResults(t *testing.T) {
	param := hugeParam()
	everywhere(t, func(t *testing.T, at place) {
		on := at.mustOn(t, reexec.Process{})
		got, err := sum.Call(t.Context(), on, param)
		require.NoError(t, err)
		require.Equal(t, checksum(param), got)
		back, err := sameBytes.Call(t.Context(), on, param[:huge/4])
		require.NoError(t, err)
		require.True(t, bytes.Equal(param[:huge/4], back))
	})
}

var sameBytes = reexec.Register("same bytes", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
