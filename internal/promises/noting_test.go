// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// noting remembers the process that was started last.
type noting struct {
	reexec.Starter
	last *atomic.Int64
}

func note(s reexec.Starter) noting { return noting{s, new(atomic.Int64)} }

// pid waits for the first start to return: its process may have been heard of before.
func (n noting) pid() int {
	for n.last.Load() == 0 {
		time.Sleep(interval)
	}
	return int(n.last.Load())
}

func (n noting) Start(cmd *exec.Cmd) error {
	start := cmd.Start
	if n.Starter != nil {
		start = func() error { return n.Starter.Start(cmd) }
	}
	err := start()
	if err == nil {
		n.last.Store(int64(cmd.Process.Pid))
	}
	return err
}

func (n noting) requireGone(t *testing.T) {
	t.Helper()
	require.ErrorIs(t, unix.Kill(n.pid(), 0), unix.ESRCH)
}
