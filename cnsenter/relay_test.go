// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// behind starts a probe behind a relay and returns it, what it prints, and its pid.
func behind(t *testing.T, what string) (*exec.Cmd, *bufio.Reader, int) {
	t.Helper()
	target := every(t)
	cmd, _ := command(what)
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, append(open(t, target, everyType), cnsenter.Fork()).Start(cmd))
	return cmd, bufio.NewReader(out), child(t, cmd.Process.Pid)
}

// child returns the pid of the only child of a process.
func child(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	require.NoError(t, err)
	number, err := strconv.Atoi(strings.TrimSpace(string(list)))
	require.NoError(t, err, "%q", list)
	return number
}

// waitEnd waits until the process is no more, or a zombie that is not ours to reap.
func waitEnd(t *testing.T, pid int) {
	t.Helper()
	fixture.Need(t, fixture.Pidfd)
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		require.ErrorIs(t, err, unix.ESRCH)
		return
	}
	defer unix.Close(fd)
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(polled, 10_000)
		if err == unix.EINTR {
			continue
		}
		require.NoError(t, err)
		require.Equal(t, 1, n, "process %d goes on", pid)
		return
	}
}

// waitState waits for the state letter of a process, proc_pid_stat(5).
func waitState(t *testing.T, pid int, state string) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		require.NoError(t, err)
		return strings.HasPrefix(string(stat[strings.LastIndexByte(string(stat), ')')+2:]), state)
	}, 10*time.Second, time.Millisecond, "state %s", state)
}

func TestRelayExitStatus(t *testing.T) {
	target := every(t)
	plan := append(open(t, target, everyType), cnsenter.Fork())
	for _, code := range []int{0, 1, 127, 255} {
		cmd, _ := command(fmt.Sprint("exit ", code))
		require.NoError(t, plan.Start(cmd))
		cmd.Wait()
		require.Equal(t, code, cmd.ProcessState.ExitCode())
	}
}

func TestRelayDiesOfTheSameSignal(t *testing.T) {
	target := every(t)
	plan := append(open(t, target, everyType), cnsenter.Fork(), cnsenter.Exec("sleep"))
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGABRT, syscall.SIGUSR2, syscall.SIGHUP} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Args = []string{"sleep", "60"}
		require.NoError(t, plan.Start(cmd))
		require.NoError(t, unix.Kill(child(t, cmd.Process.Pid), sig))
		require.Error(t, cmd.Wait())
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		require.Equal(t, sig, status.Signal())
		require.False(t, status.CoreDump())
	}
}

func TestRelayPassesSignalsOn(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGUSR1} {
		cmd, out, _ := behind(t, "signals")
		_, err := out.ReadString('\n')
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(sig))
		line, err := out.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, sig.String()+"\n", line)
		require.NoError(t, cmd.Wait())
	}
}

// What the child sends to its process group, which is the relay's too, it gets once. From another PID namespace the kernel gives the number that
// the sender has there: then the relay cannot tell.
func TestRelayReturnsNoSignalToItsSender(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"sh", "-c", "trap 'echo got' HUP; trap 'echo last; exit' TERM; kill -HUP 0; while sleep 0.1; do :; done"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cnsenter.Plan{cnsenter.Fork(), cnsenter.Exec("sh")}.Start(cmd))
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "got\n", line)
	// The relay, and the shell, take HUP before a TERM that comes later.
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.NoError(t, cmd.Wait())
	require.Equal(t, "last\n", string(rest))
}

func TestRelayStopsAndContinuesWithItsChild(t *testing.T) {
	cmd, out, pid := behind(t, "stay")
	_, err := out.ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, unix.Kill(pid, unix.SIGSTOP))
	waitState(t, cmd.Process.Pid, "T")
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	waitState(t, pid, "S")
	waitState(t, cmd.Process.Pid, "S")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	waitEnd(t, pid)
}

// The relay holds no end of the program's pipes: who reads them sees their end when the program's are closed.
func TestRelayKeepsNoPipeOpen(t *testing.T) {
	cmd, out, pid := behind(t, "stay")
	require.NoError(t, unix.Kill(pid, unix.SIGKILL))
	_, err := io.ReadAll(out)
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
}

func TestChildDiesWithItsRelay(t *testing.T) {
	cmd, _, pid := behind(t, "stay")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	waitEnd(t, pid)
}

func TestNobodyOutlivesTheCaller(t *testing.T) {
	for _, how := range []string{"relay", "dies"} {
		t.Run(how, func(t *testing.T) { killCaller(t, how) })
	}
}

func killCaller(t *testing.T, how string) {
	target := every(t)
	cmd, _ := command(fmt.Sprint(how, " ", target.PID))
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	started, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	all := []int{started}
	if how == "relay" {
		all = append(all, child(t, started))
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	for _, pid := range all {
		waitEnd(t, pid)
	}
}
