// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

// A container with a user namespace of its own, entered by root: it sees its one process, and not the one that looks.
func TestContainer(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	box := fixture.RuncContainer(t, fixture.ContainerSpec{UserNS: true})
	inside, err := launcher.PID(box.PID, ns.User|ns.PID|ns.Mount)
	require.NoError(t, err)
	defer inside.Close()
	found, err := list.Call(t.Context(), reexec.In(inside), struct{}{})
	require.NoError(t, err)
	require.Equal(t, []process{{1, "/bin/sleep 3600"}}, found)
}

// An empty list would be a lie.
func TestNoProc(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	bare := fixture.New(t, fixture.Spec{User: true, PID: true, Root: true, NoProc: true})
	inside, err := launcher.PID(bare.PID, ns.User|ns.PID|ns.Mount)
	require.NoError(t, err)
	defer inside.Close()
	_, err = list.Call(t.Context(), reexec.In(inside), struct{}{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A name that would clear the screen does not, and one that is not UTF-8 arrives.
func TestHostileName(t *testing.T) {
	fixture.Need(t, fixture.Program("sleep"))
	hostile := exec.Command("sleep", "3600")
	hostile.Args[0] = "\x1b[2J\xff"
	require.NoError(t, hostile.Start())
	defer func() {
		require.NoError(t, hostile.Process.Kill())
		_, err := hostile.Process.Wait()
		require.NoError(t, err)
	}()
	found, err := list.Call(t.Context(), reexec.InProcess(), struct{}{})
	require.NoError(t, err)
	require.Contains(t, found, process{hostile.Process.Pid, "[2J\uFFFD 3600"})
	for _, p := range found {
		require.NotEqual(t, os.Getpid(), p.PID)
	}
}
