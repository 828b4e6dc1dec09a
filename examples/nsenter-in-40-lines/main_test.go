// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

func TestFortyLines(t *testing.T) {
	text, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.LessOrEqual(t, bytes.Count(text, []byte("\n")), 40)
}

// nsenter runs the tutorial, and returns what it prints and its exit status.
func nsenter(t *testing.T, pid int, arg ...string) (stdout, stderr string, status int) {
	cmd := transcript.Command(append([]string{"-t", strconv.Itoa(pid)}, arg...)...)
	var out, said strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("exit 9\n"), &out, &said
	if err := cmd.Run(); !errors.As(err, new(*exec.ExitError)) {
		require.NoError(t, err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// Each letter enters the namespace that it names, and no other.
func TestLetters(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	tgt := fixture.New(t, fixture.Spec{User: true, Net: true, PID: true, UTS: true, IPC: true, Cgroup: true, Time: true})
	letters := map[string]string{"n": "net", "p": "pid", "u": "uts", "i": "ipc", "U": "user", "C": "cgroup", "T": "time"}
	for letter, name := range letters {
		options := []string{"-" + letter}
		if os.Geteuid() != 0 && letter != "U" {
			options = append(options, "-U") // without which he may not
		}
		for _, other := range letters {
			ref := "/proc/self/ns/" + other
			if other == name || other == "user" && len(options) == 2 {
				ref = tgt.NS(other)
			}
			want, err := os.Readlink(ref)
			require.NoError(t, err)
			got, said, status := nsenter(t, tgt.PID, append(options, "readlink", "/proc/self/ns/"+other)...)
			require.Zero(t, status, said)
			require.Equal(t, want, strings.TrimSpace(got), "%v %s", options, other)
		}
	}
}

func TestStatus(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	tgt := fixture.New(t, fixture.Spec{User: true, PID: true, UTS: true})
	for _, test := range []struct {
		arg    []string
		status int
		said   string
	}{
		{[]string{"true"}, 0, ""},
		{[]string{"sh", "-c", "exit 7"}, 7, ""},
		{nil, 9, ""}, // the shell reads what to do
		{[]string{"sh", "-c", "kill -9 $$"}, 1, "nsenter-in-40-lines: signal: killed\n"},
		{[]string{"/no/such/program"}, 1, "/no/such/program: no such file or directory"},
	} {
		for _, options := range [][]string{{"-U", "-u", "-p"}, {"-U", "-u"}} {
			_, said, status := nsenter(t, tgt.PID, append(options, test.arg...)...)
			require.Equal(t, test.status, status, "%v %v: %s", options, test.arg, said)
			require.Contains(t, said, test.said)
		}
	}
	_, said, status := nsenter(t, 1<<22+1, "-U", "true") // above all that there can be, proc_sys_kernel(5)
	require.Equal(t, 1, status)
	require.Contains(t, said, "no such process")
}

func TestContainers(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, start := range map[string]func(testing.TB, fixture.ContainerSpec) *fixture.Container{
		"runc": fixture.RuncContainer, "docker": fixture.DockerContainer, "podman": fixture.PodmanContainer,
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, fixture.ContainerSpec{Hostname: "web"})
			out, said, status := nsenter(t, c.PID, "-a", "/bin/sh", "-c", "hostname; cat /proc/1/comm; exit 3")
			require.Equal(t, 3, status, said)
			require.Equal(t, "web\nsleep\n", out)
		})
	}
}
