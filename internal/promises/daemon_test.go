// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// daemonSpec says how a daemon is left behind.
type daemonSpec struct {
	PIDFile reexec.File // gets its pid, as its worker sees it, and a pidfd for it is in the answer
	End     string      // of its worker
}

// daemon starts a program that inherits every descriptor, the worker's end of the socket among them, and does not end with it.
func daemon(spec daemonSpec) (int, error) {
	cmd := exec.Command("sleep", "60")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	for fd := range ownDescriptors() {
		if fd < 3 {
			continue
		}
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return 0, err
		}
		f := os.NewFile(uintptr(dup), strconv.Itoa(fd))
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	fmt.Fprintln(spec.PIDFile, cmd.Process.Pid)
	switch spec.End {
	case "ends":
		os.Exit(0)
	case "is killed":
		unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	case "fails":
		return 0, unix.EPERM
	}
	return cmd.Process.Pid, nil
}

var (
	leave       = reexec.Register("leave a daemon", func(_ context.Context, s daemonSpec) (int, error) { return daemon(s) })
	leaveStream = reexec.RegisterStream("leave a daemon, streamed", func(_ context.Context, s daemonSpec) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) { yield(daemon(s)) }
	})
	// endIt ends a daemon, from inside the pid namespace that its number is of.
	endIt = reexec.Register("end a daemon", func(_ context.Context, pid int) (struct{}, error) {
		return struct{}{}, unix.Kill(pid, unix.SIGKILL)
	})
)

// The daemon lives for a minute; a call that waits for it would, too.
func TestPromise10ADaemonDoesNotHangTheCall(t *testing.T) {
	ends := map[string]error{"returns": nil, "fails": unix.EPERM, "ends": reexec.ErrNoResult, "is killed": reexec.ErrNoResult}
	everywhere(t, func(t *testing.T, at place) {
		for end, want := range ends {
			for kind, call := range map[string]func(on reexec.Runner, s daemonSpec) error{
				"func": func(on reexec.Runner, s daemonSpec) error {
					_, err := leave.Call(context.Background(), on, s)
					return err
				},
				"stream": func(on reexec.Runner, s daemonSpec) (last error) {
					for _, err := range leaveStream.Call(context.Background(), on, s) {
						last = err
					}
					return last
				},
			} {
				t.Run(end+", "+kind, func(t *testing.T) {
					r, w, err := os.Pipe()
					require.NoError(t, err)
					defer r.Close()
					var out counter
					on := at.mustOn(t, reexec.Process{Stdout: &out, Stderr: &out, Grace: 50 * time.Millisecond})
					began := time.Now()
					err = call(on, daemonSpec{reexec.File{File: w}, end})
					took := time.Since(began)
					w.Close()
					var pid int
					_, scanErr := fmt.Fscan(r, &pid)
					require.NoError(t, scanErr)
					_, killErr := endIt.Call(context.Background(), reexec.In(at.starter), pid)
					require.NoError(t, killErr)
					if want == nil {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, want)
					}
					require.Less(t, took, 30*time.Second)
				})
			}
		}
	})
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }
