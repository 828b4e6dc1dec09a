// SPDX-License-Identifier: Apache-2.0

//go:build linux

package container_test

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher/container"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// engines start the containers of the tests, those of ordinary users among them.
var engines = map[string]func(testing.TB, fixture.ContainerSpec) *fixture.Container{
	"runc": fixture.RuncContainer, "docker": fixture.DockerContainer, "podman": fixture.PodmanContainer,
}

// fullID is the id under which the kernel knows a container: the fixture has a name instead where the engine makes ids up.
func fullID(t *testing.T, c *fixture.Container) string {
	t.Helper()
	if c.Engine == "runc" {
		return c.ID
	}
	out, err := exec.Command(c.Engine, "inspect", "--format", "{{.Id}}", c.ID).Output()
	require.NoError(t, err)
	return string(out[:64])
}

func TestContainers(t *testing.T) {
	for name, start := range engines {
		t.Run(name, func(t *testing.T) {
			c := start(t, fixture.ContainerSpec{})
			id := fullID(t, c)
			p, err := container.Open(c.PID)
			require.NoError(t, err)
			defer p.Close()
			require.NoError(t, p.Check(id))
			require.ErrorIs(t, p.Check(id[1:]+"0"), container.ErrOtherProcess)
			require.ErrorIs(t, p.Check(""), os.ErrInvalid)

			if os.Geteuid() != 0 {
				return // on cgroups of version 1 an ordinary user's containers have none
			}
			ids := []string{id}
			if len(id) == 64 {
				ids = append(ids, id[:12])
			}
			for _, ref := range ids {
				info, err := container.Find(t.Context(), ref)
				require.NoError(t, err)
				require.Equal(t, container.Info{ID: id, PID: c.PID}, info)
			}
			require.NoError(t, c.Close())
			require.ErrorIs(t, p.Check(id), unix.ESRCH)
			_, err = container.Find(t.Context(), id)
			require.ErrorIs(t, err, container.ErrNotFound)
		})
	}
}

// The first process is found among programs that the engine has started in the container later, whose parent is outside, too.
func TestFindTheFirstProcess(t *testing.T) {
	c := fixture.DockerContainer(t, fixture.ContainerSpec{})
	id := fullID(t, c)
	for range 3 {
		require.NoError(t, exec.Command("docker", "exec", "--detach", c.ID, "sh", "-c", "sleep 3600 & exec sleep 3600").Run())
	}
	info, err := container.Find(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, c.PID, info.PID)
}

func TestFindNothing(t *testing.T) {
	for _, id := range []string{"", "/", "..", "no-such-container", "0123456789ab"} {
		_, err := container.Find(t.Context(), id)
		var e *container.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, container.ErrNotFound)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := container.Find(ended, "0123456789ab")
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenNobody(t *testing.T) {
	for pid, want := range map[int]error{0: unix.EINVAL, -1: unix.EINVAL, 1 << 30: unix.ESRCH} {
		_, err := container.Open(pid)
		var e *container.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, want)
	}
}

// TestPromise17 gives the number of a process that has ended to a process of the container: what is held stays the one that it was.
func TestPromise17AReusedPidCannotRedirect(t *testing.T) {
	c := fixture.RuncContainer(t, fixture.ContainerSpec{})
	for range 1000 {
		first := exec.Command("sleep", "3600")
		require.NoError(t, first.Start())
		held, err := container.Open(first.Process.Pid)
		require.NoError(t, err)
		require.ErrorIs(t, held.Check(c.ID), container.ErrOtherProcess)
		require.NoError(t, first.Process.Kill())
		first.Wait()
		require.ErrorIs(t, held.Check(c.ID), unix.ESRCH)

		// The kernel gives out the number after this one next, unless somebody else is faster.
		before := []byte(strconv.Itoa(first.Process.Pid - 1))
		require.NoError(t, os.WriteFile("/proc/sys/kernel/ns_last_pid", before, 0))
		second := exec.Command("sleep", "3600")
		require.NoError(t, second.Start())
		reused := second.Process.Pid == first.Process.Pid
		if reused {
			join(t, second.Process.Pid, c)
			require.ErrorIs(t, held.Check(c.ID), unix.ESRCH)
			now, err := container.Open(second.Process.Pid)
			require.NoError(t, err)
			require.NoError(t, now.Check(c.ID), "the number's new owner is the container's")
			require.NoError(t, now.Close())
		}
		require.NoError(t, held.Close())
		require.NoError(t, second.Process.Kill())
		second.Wait()
		if reused {
			return
		}
	}
	require.Fail(t, "no pid was used again")
}

// join moves a process into the cgroup of a container.
func join(t *testing.T, pid int, c *fixture.Container) {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup/pids/", "/sys/fs/cgroup/"} {
		if err := os.WriteFile(dir+c.ID+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0); err == nil {
			return
		}
	}
	require.Fail(t, "the container has no cgroup")
}
