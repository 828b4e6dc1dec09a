// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/ns"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", needs()...) }

// needs is what it takes to read the files of a namespace of one's own: an ordinary user enters its owner.
func needs() []fixture.Requirement {
	if fixture.Root.Unmet() == nil {
		return []fixture.Requirement{fixture.UserNS}
	}
	return []fixture.Requirement{fixture.UserNS, fixture.Cgo}
}

// read is what files prints.
func read(t *testing.T, pid int, name string) (string, error) {
	t.Helper()
	mount, err := ns.OpenPID(pid, ns.Mount)
	require.NoError(t, err)
	defer mount.Close()
	text, err := show(mount, name)
	if errors.Is(err, syscall.EPERM) {
		text, err = showAsOwner(t.Context(), mount, name)
	}
	return string(text), err
}

// However a link tries to get out, it ends in the container's tree.
func TestLinksStayInside(t *testing.T) {
	fixture.Need(t, needs()...)
	box := fixture.New(t, fixture.Spec{User: true, PID: true, Root: true, Files: map[string]string{"/etc/passwd": "inside"}})
	root := "/proc/" + strconv.Itoa(box.PID) + "/root/"
	for _, to := range []string{"/etc/passwd", "../../../../etc/passwd", "/../../etc/passwd"} {
		require.NoError(t, os.Symlink(to, root+"link"))
		text, err := read(t, box.PID, "link")
		require.NoError(t, err, to)
		require.Equal(t, "inside", text, to)
		require.NoError(t, os.Remove(root+"link"))
	}
	require.NoError(t, os.Symlink("/proc/1/root", root+"link"))
	_, err := read(t, box.PID, "link/etc/passwd")
	require.ErrorIs(t, err, syscall.ELOOP, "a magic link of proc(5) could lead anywhere")
	_, err = read(t, box.PID, "../etc/passwd")
	require.ErrorIs(t, err, fs.ErrInvalid)
}

// The files of a real container are read by root, and by the ordinary user who runs it.
func TestContainer(t *testing.T) {
	fixture.Need(t, needs()...)
	box := fixture.PodmanContainer(t, fixture.ContainerSpec{Files: map[string]string{"/srv/greeting": "hello\n"}})
	text, err := read(t, box.PID, "srv/greeting")
	require.NoError(t, err)
	require.Equal(t, "hello\n", text)
	list, err := read(t, box.PID, "srv")
	require.NoError(t, err)
	require.Equal(t, "- greeting\n", list)
}

func TestOurOwnFiles(t *testing.T) {
	err := files(t.Context(), strconv.Itoa(os.Getpid()), "/")
	require.ErrorContains(t, err, "has the same files as we")
}
