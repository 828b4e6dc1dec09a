// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

var openTree = fixture.KernelFeature("open_tree", func() error {
	fd, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLOEXEC)
	return errors.Join(err, unix.Close(fd))
})

func TestReadme(t *testing.T) {
	transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS, openTree)
}

// source is a directory of the host with a file "here" in it, which all may read.
func source(t *testing.T) string {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "here"), []byte("of the host"), 0o644))
	return dir
}

// mountAndUnmount mounts on /tmp of the process, where cat, a program of the target, reads the file until it is unmounted.
func mountAndUnmount(t *testing.T, pid int, cat ...string) {
	ctx, ref, dir := context.Background(), strconv.Itoa(pid), source(t)
	read := func() (string, error) {
		out, err := exec.Command(cat[0], append(cat[1:], "/tmp/here")...).Output()
		return string(out), err
	}
	names, err := mount(ctx, ref, dir, "/tmp")
	require.NoError(t, err)
	require.Equal(t, []string{"here"}, names)
	text, err := read()
	require.NoError(t, err)
	require.Equal(t, "of the host", text)

	_, err = mount(ctx, ref, "", "/tmp")
	require.NoError(t, err)
	_, err = read()
	require.ErrorAs(t, err, new(*exec.ExitError))
	require.NoError(t, os.Remove(filepath.Join(dir, "here")), "the directory is free again")
	require.NoError(t, os.Remove(dir))
}

func TestRunc(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, own := range map[string]bool{"root": false, "user namespace": true} {
		t.Run(name, func(t *testing.T) {
			c := fixture.RuncContainer(t, fixture.ContainerSpec{UserNS: own})
			mountAndUnmount(t, c.PID, "runc", "--root", c.Root, "exec", c.ID, "/bin/cat")
		})
	}
}

func TestDocker(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	c := fixture.DockerContainer(t, fixture.ContainerSpec{})
	mountAndUnmount(t, c.PID, "docker", "exec", c.ID, "/bin/cat")
}

// Rootless if the tests are run by an ordinary user.
func TestPodman(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	c := fixture.PodmanContainer(t, fixture.ContainerSpec{})
	mountAndUnmount(t, c.PID, "podman", "exec", c.ID, "/bin/cat")
}

// A link of proc(5) that leads to the host's files leads nowhere: they are in a mount namespace that the worker is not in.
func TestLinkToTheHost(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Root, openTree)
	box := fixture.New(t, fixture.Spec{Mount: true})
	self := filepath.Join("/proc", strconv.Itoa(os.Getpid()), "root")
	require.NoError(t, os.Symlink(filepath.Join(self, t.TempDir()), filepath.Join("/proc", strconv.Itoa(box.PID), "root/mnt/link")))
	_, err := mount(context.Background(), strconv.Itoa(box.PID), source(t), "/mnt/link")
	require.ErrorIs(t, err, unix.EINVAL)
	require.ErrorContains(t, err, "move_mount")
}

func TestErrors(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS, openTree)
	ctx, dir := context.Background(), source(t)
	_, err := mount(ctx, "", filepath.Join(dir, "none"), "/tmp")
	require.ErrorIs(t, err, unix.ENOENT)
	require.ErrorContains(t, err, "open_tree")
	_, err = mount(ctx, "", dir, "/none")
	require.ErrorIs(t, err, unix.ENOENT)
	require.ErrorContains(t, err, "move_mount")
	_, err = mount(ctx, "", "", "/tmp")
	require.ErrorIs(t, err, unix.EINVAL, "nothing is mounted there")
	_, err = mount(ctx, "x", dir, "/tmp")
	require.ErrorContains(t, err, `parse "x"`)
}
