// SPDX-License-Identifier: Apache-2.0

//go:build linux

package targets_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// nsenter runs a shell script in all namespaces of a process, by util-linux nsenter.
func nsenter(ctx context.Context, t *testing.T, pid int, script string) string {
	t.Helper()
	args := append([]string{"--target", strconv.Itoa(pid)}, all(t, pid)...)
	cmd := exec.CommandContext(ctx, "nsenter", append(args, "/bin/sh", "-c", script)...)
	cmd.WaitDelay = time.Second // the shell is nsenter's child, holds the pipe, and ends only with the container
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}

// all is the option for all namespaces. For an ordinary user nsenter fails at those that the process shares with
// the caller and that are not its user namespace's; for him these are left out.
func all(t *testing.T, pid int) (options []string) {
	t.Helper()
	if os.Geteuid() == 0 {
		return []string{"--all"}
	}
	for name, option := range map[string]string{
		"cgroup": "--cgroup", "ipc": "--ipc", "mnt": "--mount", "net": "--net",
		"pid": "--pid", "time": "--time", "user": "--user", "uts": "--uts",
	} {
		ours, err := os.Readlink("/proc/self/ns/" + name)
		require.NoError(t, err)
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, name))
		require.NoError(t, err)
		if ours != theirs {
			options = append(options, option)
		}
	}
	return options
}

// nsenterView is the view of a shell that nsenter started. The shell reads with its own commands: a program
// that it started would be one more process to see.
func nsenterView(ctx context.Context, t *testing.T, pid int) (v view) {
	t.Helper()
	lines := strings.Split(nsenter(ctx, t, pid, `
		for p in /proc/[0-9]*; do
			[ ${p#/proc/} = $$ ] || { read -r comm <$p/comm && echo process ${p#/proc/} "$comm"; }
		done
		echo pid $$
		echo hostname $(hostname)
		echo planted $(cat `+plantedFile+`)
		ip -o link | while IFS=': @' read -r number name rest; do echo interface $name; done`), "\n")
	for _, line := range lines {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "process":
			v.Processes = append(v.Processes, value)
		case "pid":
			_, err := fmt.Sscan(value, &v.PID)
			require.NoError(t, err)
		case "hostname":
			v.Hostname = value
		case "planted":
			v.Planted = value
		case "interface":
			v.Interfaces = append(v.Interfaces, value)
		default:
			require.Fail(t, "nsenter printed", "%q", line)
		}
	}
	slices.Sort(v.Processes)
	slices.Sort(v.Interfaces)
	return v
}
