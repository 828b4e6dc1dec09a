// SPDX-License-Identifier: Apache-2.0

//go:build linux && !cgo

package main

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/stretchr/testify/require"
)

// Built without cgo, airlock enters what a thread of a Go program can enter, and refuses the rest.
func TestWithoutCgo(t *testing.T) {
	fixture.Need(t, fixture.Root)
	bin := programs(t)
	web := fixture.New(t, fixture.Spec{Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true})
	flat := fixture.New(t, fixture.Spec{UTS: true, Net: true})
	mapped := fixture.New(t, fixture.Spec{User: true, UTS: true})
	for name, c := range map[string]struct {
		target *fixture.Target
		args   []string
		status string // or the signal
		says   string
	}{
		"all":                      {web, []string{"-a", "uname", "-n"}, "0", "target\n"},
		"inside the PID namespace": {web, []string{"-a", "sh", "-c", "echo $PPID"}, "0", "0\n"},
		"without a fork":           {flat, []string{"-u", "uname", "-n"}, "0", "target\n"},
		"ids":                      {web, []string{"-a", "-S", "5", "-G", "6", "sh", "-c", "id -u; id -G"}, "0", "5\n6\n"},
		"an account":               {flat, []string{"-u", "--as", "1:2", "sh", "-c", "id -u; id -G"}, "0", "1\n2\n"},
		"directories":              {web, []string{"-a", "-r", "-W", "/usr", "pwd"}, "0", "/usr\n"},
		"no directory":             {web, []string{"-a", "-W", "/no/such", "pwd"}, "1", "enter: chdir /no/such: no such file or directory"},
		"descriptors":              {web, []string{"-a", bin + "/probe"}, "0", "\nfd 2\nenv"},
		"a status":                 {web, []string{"-a", "sh", "-c", "exit 7"}, "7", ""},
		"a status without a fork":  {flat, []string{"-u", "sh", "-c", "exit 7"}, "7", ""},
		"a signal":                 {web, []string{"-a", "sh", "-c", "kill -TERM $$"}, "terminated", ""},
		"not found":                {web, []string{"-a", "no-such-program"}, "127", "enter: execute no-such-program: no such file or directory"},
		"not to be executed":       {flat, []string{"-u", "/etc/passwd"}, "126", "enter: execute /etc/passwd: permission denied"},
		"our tools":                {web, []string{"--host-tools", "uname", "-n"}, "0", "target\n"},
		"no user namespace":        {mapped, []string{"-a", "true"}, "1", "enter: step 0: join user,uts of pid"},
		"no capability sets":       {flat, []string{"-u", "--cap-drop", "all", "true"}, "1", "set capabilities: the constructor is not part of this program"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(bin+"/airlock", append([]string{"enter", "-t", strconv.Itoa(c.target.PID)}, c.args...)...)
			out, err := cmd.CombinedOutput()
			status := "0"
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				status = strconv.Itoa(exit.ExitCode())
				if s := exit.Sys().(syscall.WaitStatus); s.Signaled() {
					status = s.Signal().String()
				}
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, c.status, status, "%s", out)
			require.Contains(t, string(out), c.says)
			require.NotContains(t, string(out), "\nfd 3\n")
		})
	}
	t.Run("signals", func(t *testing.T) {
		cmd := exec.Command(bin+"/airlock", "enter", "-t", strconv.Itoa(web.PID), "-a", "sh", "-c",
			`trap 'echo usr1' USR1; trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done`)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var line [6]byte
		_, err = out.Read(line[:])
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(syscall.SIGUSR1))
		_, err = out.Read(line[:])
		require.NoError(t, err)
		require.Equal(t, "usr1", strings.TrimSpace(string(line[:5])))
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
		require.Equal(t, 9, exit.ExitCode())
	})
	require.Contains(t, version(), "built without cgo: no user and no time namespaces")
}
