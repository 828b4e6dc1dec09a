// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// The system calls that enter or make namespaces are made to fail, from each one on in turn.
func TestPromise15EachJoinFailsInTurn(t *testing.T) {
	fixture.Need(t, fixture.Program("strace"))
	victim := quarry(t)
	for mode, call := range map[string]string{"relay": "setns", "handles": "setns", "unshare": "unshare"} {
		t.Run(mode, func(t *testing.T) {
			failures := 0
			for i := 1; ; i++ {
				inject := fmt.Sprintf("inject=%s:error=ENOSPC:when=%d+", call, i)
				args := append([]string{"--follow-forks", "--output=/dev/null", "-e", "trace=" + call, "-e", inject}, victim(mode, "once")...)
				out, err := exec.Command("strace", args...).CombinedOutput()
				require.NoError(t, err, string(out))
				var got struct{ Err, Op string }
				require.NoError(t, json.Unmarshal(out, &got), string(out))
				if got.Err == "" { // there are fewer such calls
					break
				}
				failures++
				require.Contains(t, got.Err, syscall.ENOSPC.Error(), inject)
				require.Contains(t, []string{"join", "unshare"}, got.Op, inject)
				require.Regexp(t, `(join|unshare) [a-z,]*(mnt|net|pid|user|uts|ipc)`, got.Err, inject)
			}
			require.NotZero(t, failures)
		})
	}
}

// wrongObjects are things that are no namespace of the type net, by their paths.
func wrongObjects(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	paths := map[string]string{
		"/dev/zero": "/dev/zero", "directory": dir, "FIFO": filepath.Join(dir, "fifo"), "dangling link": filepath.Join(dir, "dangling"),
		"socket": filepath.Join(dir, "socket"), "regular file": filepath.Join(dir, "file"), "other type": "/proc/self/ns/uts",
		"nothing": filepath.Join(dir, "nothing"), "loop": filepath.Join(dir, "loop"), "terminal": "/dev/ptmx",
	}
	require.NoError(t, unix.Mkfifo(paths["FIFO"], 0o600))
	require.NoError(t, os.Symlink(paths["nothing"], paths["dangling link"]))
	require.NoError(t, os.Symlink(paths["loop"], paths["loop"]))
	require.NoError(t, os.WriteFile(paths["regular file"], nil, 0o600))
	l, err := net.Listen("unix", paths["socket"])
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	exited := exec.Command("true")
	require.NoError(t, exited.Start())
	paths["namespace of an exited process"] = fmt.Sprintf("/proc/%d/ns/net", exited.Process.Pid)
	require.NoError(t, exited.Wait())
	return paths
}

func TestPromise16WrongObjectsAreRefused(t *testing.T) {
	for name, path := range wrongObjects(t) {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := launcher.Parse(t.Context(), path, ns.Net)
			require.Error(t, err)
			require.ErrorContains(t, err, path)
			require.Less(t, time.Since(began), afterwards)
			switch name {
			case "nothing", "dangling link", "namespace of an exited process":
				require.True(t, errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH), err)
			case "loop":
				require.ErrorIs(t, err, syscall.ELOOP)
			case "other type":
				require.ErrorContains(t, err, "uts")
			default:
				require.ErrorIs(t, err, ns.ErrNotNamespace)
			}
		})
	}
}

// What is open already is refused by the constructor, before main.
func TestPromise16WrongDescriptorsAreRefused(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, path := range wrongObjects(t) {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // not openable, and so no case
		}
		t.Run(name, func(t *testing.T) {
			file := os.NewFile(uintptr(fd), path)
			defer file.Close()
			began := time.Now()
			_, err := hostname.Call(t.Context(), reexec.In(cnsenter.Plan{cnsenter.Join(file, ns.Net)}), struct{}{})
			var e *cnsenter.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, cnsenter.OpJoin, e.Op)
			require.Equal(t, path, e.Path)
			require.Equal(t, ns.Net, e.Types)
			require.ErrorIs(t, err, syscall.EINVAL)
			require.Less(t, time.Since(began), afterwards)
		})
	}
}

func init() { roles["recycler"] = recycler }

// recycler is the first process of a PID namespace, and so decides over the numbers in it, /proc/sys/kernel/ns_last_pid in proc(5). It
// takes hold of a process, has another one get that one's number, and tries to enter the first.
func recycler(string) int {
	err := func() error {
		if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			return err
		}
		first, err := asleep(unix.CLONE_NEWUTS)
		if err != nil {
			return err
		}
		pid := first.Process.Pid
		target, err := launcher.PID(pid, ns.UTS)
		if err != nil {
			return err
		}
		defer target.Close()
		if _, err := hostname.Call(context.Background(), reexec.In(target), struct{}{}); err != nil {
			return fmt.Errorf("while it lives: %w", err)
		}
		plan, err := target.Plan()
		if err != nil {
			return err
		}
		first.Process.Kill()
		first.Wait()
		second, err := asleep(unix.CLONE_NEWUTS)
		for tries := 0; err == nil && second.Process.Pid != pid; tries++ {
			second.Process.Kill()
			second.Wait()
			if tries == 100 {
				return fmt.Errorf("pid %d is not used again", pid)
			}
			if err = os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err == nil {
				second, err = asleep(unix.CLONE_NEWUTS)
			}
		}
		if err != nil {
			return err
		}
		defer second.Process.Kill()
		for _, way := range []reexec.Starter{target, plan} {
			name, err := hostname.Call(context.Background(), reexec.In(way), struct{}{})
			if !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("went to the process that got the number: %q, %w", name, err)
			}
		}
		fmt.Println("refused")
		return nil
	}()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func asleep(flags uintptr) (*exec.Cmd, error) {
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	return cmd, cmd.Start()
}

func TestPromise17ReusedPidDoesNotRedirect(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS)
	cmd := inRole("recycler", "")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	require.NoError(t, err, string(out))
	require.Equal(t, "refused", strings.TrimSpace(string(out)))
}
