// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// onTerminal starts a shell command behind a relay, on a terminal, and returns it with what the terminal shows.
func onTerminal(t *testing.T, script string) (*exec.Cmd, *os.File, *bufio.Reader) {
	t.Helper()
	screen, side, err := pty.Open()
	require.NoError(t, err)
	t.Cleanup(func() { screen.Close() })
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"sh", "-c", script}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = side, side, side
	plan := append(open(t, every(t), everyType), cnsenter.Setsid(), cnsenter.Terminal(), cnsenter.Fork(), cnsenter.Exec("sh"))
	require.NoError(t, plan.Start(cmd))
	side.Close()
	return cmd, screen, bufio.NewReader(screen)
}

func readLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(t, err, "%q", line)
	return strings.TrimSpace(line)
}

// The program is the foreground process group of a session that the relay leads, so the terminal can interrupt and stop it.
func TestTerminalInterruptsTheChild(t *testing.T) {
	cmd, screen, out := onTerminal(t, "echo ready; exec sleep 1000 </dev/tty")
	require.Equal(t, "ready", readLine(t, out))
	_, err := screen.Write([]byte{3})
	require.NoError(t, err)
	require.Error(t, cmd.Wait())
	require.Equal(t, syscall.SIGINT, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestTerminalStopsTheChildAndItsRelay(t *testing.T) {
	cmd, screen, out := onTerminal(t, "(echo ready; exec cat); echo end")
	require.Equal(t, "ready", readLine(t, out))
	pid := child(t, cmd.Process.Pid)
	_, err := screen.Write([]byte{26})
	require.NoError(t, err)
	waitState(t, cmd.Process.Pid, "T")
	waitState(t, pid, "T")
	// The relay continues the whole process group: cat, too, which is no child of the relay's.
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	waitState(t, pid, "S")
	_, err = screen.Write([]byte{4})
	require.NoError(t, err)
	for !strings.HasSuffix(readLine(t, out), "end") { // before it, the echo of what was typed
	}
	require.NoError(t, cmd.Wait())
}

func TestTerminalNeedsASession(t *testing.T) {
	screen, side, err := pty.Open()
	require.NoError(t, err)
	defer screen.Close()
	defer side.Close()
	cmd := exec.Command("/proc/self/exe")
	cmd.Stdin = side
	err = cnsenter.Plan{cnsenter.Terminal(), cnsenter.Exec("true")}.Start(cmd)
	require.ErrorIs(t, err, unix.EPERM)
	require.ErrorContains(t, err, "take the terminal")
}

// A terminal that is hung up tells the leader of the session, which is the relay.
func TestTerminalHangsUpOnTheChild(t *testing.T) {
	cmd, screen, out := onTerminal(t, "trap 'exit 7' HUP; echo ready; for i in $(seq 100); do sleep 0.1; done")
	require.Equal(t, "ready", readLine(t, out))
	require.NoError(t, screen.Close())
	require.Error(t, cmd.Wait())
	require.Equal(t, 7, cmd.ProcessState.ExitCode())
}
