// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// kcmp compares the root and working directory of two threads, KCMP_FS in kcmp(2): 0 if they share them.
func kcmp(a, b int) (int, error) {
	const kcmpFS = 3
	r, _, errno := unix.Syscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpFS, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

var hasKcmp = fixture.KernelFeature("kcmp(2)", func() error {
	_, err := kcmp(os.Getpid(), os.Getpid())
	return err
})

// A thread that had to give up sharing its directories before a mount namespace refused it serves nobody any more: os.Chdir would not
// reach it.
func TestFailedMountVisitLeavesNoThreadApart(t *testing.T) {
	fixture.Need(t, hasKcmp)
	net, err := ns.Current(ns.Net)
	require.NoError(t, err)
	defer net.Close()
	wrong := ns.Mistaken(net, ns.Mount)
	for range 20 {
		require.ErrorIs(t, ns.Do(func() error { return nil }, wrong), unix.EINVAL)
		entered := make(chan error)
		go func() { entered <- ns.Enter(wrong) }()
		require.ErrorIs(t, <-entered, ns.ErrStuck)
	}
	require.Eventually(t, func() bool {
		threads, err := os.ReadDir("/proc/self/task")
		require.NoError(t, err)
		for _, thread := range threads {
			tid, err := strconv.Atoi(thread.Name())
			require.NoError(t, err)
			if apart, err := kcmp(os.Getpid(), tid); err == nil && apart != 0 {
				return false
			}
		}
		return true
	}, 10*time.Second, 10*time.Millisecond)
}
