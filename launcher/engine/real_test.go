// SPDX-License-Identifier: Apache-2.0

//go:build linux

package engine_test

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/fixture/pod"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/launcher/engine"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// requireFound asks that each reference means the container, and that a function called there by it sees its hostname.
func requireFound(t *testing.T, want container.Info, host string, refs ...string) {
	t.Helper()
	for _, ref := range refs {
		info, err := engine.Find(t.Context(), ref)
		require.NoError(t, err, ref)
		require.Equal(t, want, info, ref)
	}
	fixture.Need(t, fixture.Cgo)
	target, err := engine.Resolve(t.Context(), refs[0], ns.All)
	require.NoError(t, err)
	defer target.Close()
	name, err := hostname.Call(t.Context(), reexec.In(target), struct{}{})
	require.NoError(t, err)
	require.Equal(t, host, name)
}

func run(t *testing.T, name string, arg ...string) string {
	t.Helper()
	cmd := exec.Command(name, arg...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s: %s", cmd, &stderr)
	return strings.TrimSpace(string(out))
}

// requireAmbiguous makes containers, by a function that returns the id, until two have the first digit in common: at most one more
// than there are digits.
func requireAmbiguous(t *testing.T, scheme string, create func(i int) (id string)) {
	t.Helper()
	seen := map[byte]string{}
	for i := 0; ; i++ {
		id := create(i)
		if first := seen[id[0]]; first != "" {
			_, err := engine.Find(t.Context(), scheme+"://"+id[:1])
			var ambiguous *container.AmbiguousError
			require.ErrorAs(t, err, &ambiguous)
			var ids []string
			for _, c := range ambiguous.Candidates {
				require.Equal(t, scheme, c.Engine)
				ids = append(ids, c.ID)
			}
			require.Subset(t, ids, []string{first, id})
			return
		}
		seen[id[0]] = id
	}
}

func requireStopped(t *testing.T, ref string, states ...string) {
	t.Helper()
	_, err := engine.Resolve(t.Context(), ref, ns.All)
	var stopped *engine.NotRunningError
	require.ErrorAs(t, err, &stopped)
	require.Contains(t, states, stopped.State)
}

func TestDocker(t *testing.T) {
	c := fixture.DockerContainer(t, fixture.ContainerSpec{Hostname: "docked"})
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = "unix:///run/docker.sock"
	}
	sockets(t, map[string]string{"DOCKER_HOST": host})
	id := run(t, "docker", "inspect", "--format", "{{.Id}}", c.ID)
	want := container.Info{Engine: "docker", ID: id, Name: c.ID, PID: c.PID}
	requireFound(t, want, "docked", "docker://"+c.ID, "docker://"+id, "docker://"+id[:20], c.ID, id, id[:20])

	list, err := engine.List(t.Context())
	require.NoError(t, err)
	require.Contains(t, list, want)

	requireAmbiguous(t, "docker", func(int) string {
		id := run(t, "docker", "create", c.ID, "/bin/true")
		t.Cleanup(func() { run(t, "docker", "rm", id) })
		return id
	})
	run(t, "docker", "pause", c.ID)
	requireStopped(t, "docker://"+c.ID, "paused")
	requireStopped(t, id, "paused")
	run(t, "docker", "unpause", c.ID)
	run(t, "docker", "kill", c.ID)
	run(t, "docker", "wait", c.ID)
	requireStopped(t, "docker://"+c.ID, "exited")
	requireStopped(t, c.ID, "exited")
}

func TestPodman(t *testing.T) {
	for name, spec := range map[string]fixture.ContainerSpec{
		"host's ids": {Hostname: "podded"}, "ids of its own": {Hostname: "podded", UserNS: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := fixture.PodmanContainer(t, spec)
			id := run(t, "podman", "--remote=false", "inspect", "--format", "{{.Id}}", c.ID)
			want := container.Info{Engine: "podman", ID: id, Name: c.ID, PID: c.PID}
			refs := []string{"podman://" + c.ID, "podman://" + id, "podman://" + id[:20], c.ID, id}
			t.Run("by its socket", func(t *testing.T) {
				sockets(t, map[string]string{"CONTAINER_HOST": "unix://" + fixture.PodmanService(t)})
				requireFound(t, want, "podded", refs...)
				list, err := engine.List(t.Context())
				require.NoError(t, err)
				require.Contains(t, list, want)
			})
			t.Run("by its program", func(t *testing.T) {
				sockets(t, map[string]string{"CONTAINER_HOST": ""})
				requireFound(t, want, "podded", refs...)
				list, err := engine.List(t.Context())
				require.NoError(t, err)
				require.Contains(t, list, want)
				_, err = engine.Find(t.Context(), "podman://no-such")
				require.ErrorIs(t, err, container.ErrNotFound)
			})
		})
	}
}

func TestPodmanAmbiguousAndStopped(t *testing.T) {
	c := fixture.PodmanContainer(t, fixture.ContainerSpec{})
	var ids []string
	create := func(i int) string {
		if i == len(ids) { // the second way gets what the first has made
			id := run(t, "podman", "--remote=false", "create", "--rootfs", t.TempDir(), "/bin/true")
			ids = append(ids, id)
			t.Cleanup(func() { run(t, "podman", "--remote=false", "rm", id) })
		}
		return ids[i]
	}
	for way, socket := range map[string]string{"socket": "unix://" + fixture.PodmanService(t), "program": ""} {
		t.Run(way, func(t *testing.T) {
			sockets(t, map[string]string{"CONTAINER_HOST": socket})
			requireAmbiguous(t, "podman", create)
			requireStopped(t, "podman://"+ids[0], "created")
		})
	}
	run(t, "podman", "--remote=false", "kill", c.ID)
	run(t, "podman", "--remote=false", "wait", c.ID)
	for _, socket := range []string{"unix://" + fixture.PodmanService(t), ""} {
		sockets(t, map[string]string{"CONTAINER_HOST": socket})
		requireStopped(t, "podman://"+c.ID, "exited", "stopped") // which is it until podman has cleaned up
	}
}

func TestContainerd(t *testing.T) {
	d := fixture.NewContainerd(t)
	sockets(t, map[string]string{"CONTAINERD_ADDRESS": d.Address})
	c := d.Container(t, "blue", "", fixture.ContainerSpec{Hostname: "box"})
	host, err := os.Hostname() // ctr leaves it as it is
	require.NoError(t, err)
	want := container.Info{Engine: "containerd", Namespace: "blue", ID: c.ID, Name: c.ID, PID: c.PID}
	requireFound(t, want, host, "containerd://blue/"+c.ID, "containerd://"+c.ID, "blue/"+c.ID, c.ID, "containerd://blue/"+c.ID[:len(c.ID)-1])

	// The same id in another namespace, and another that begins with it.
	same := d.Container(t, "red", c.ID, fixture.ContainerSpec{})
	requireFound(t, want, host, "containerd://blue/"+c.ID)
	longer := d.Container(t, "red", c.ID+"-2", fixture.ContainerSpec{})
	for ref, candidates := range map[string][]int{
		"containerd://" + c.ID:                   {c.PID, same.PID},
		"containerd://red/" + c.ID[:len(c.ID)-1]: {same.PID, longer.PID},
		"containerd://" + c.ID[:len(c.ID)-1]:     {c.PID, same.PID, longer.PID},
		c.ID[:len(c.ID)-2]:                       {c.PID, same.PID, longer.PID},
	} {
		_, err := engine.Find(t.Context(), ref)
		var ambiguous *container.AmbiguousError
		require.ErrorAs(t, err, &ambiguous, ref)
		var pids []int
		for _, one := range ambiguous.Candidates {
			pids = append(pids, one.PID)
		}
		require.ElementsMatch(t, candidates, pids, ref)
	}

	run(t, "ctr", "--address", d.Address, "--namespace", "red", "containers", "label", longer.ID, "nerdctl/name=web")
	named := container.Info{Engine: "containerd", Namespace: "red", ID: longer.ID, Name: "web", PID: longer.PID}
	requireFound(t, named, host, "containerd://red/web", "web")
	list, err := engine.List(t.Context())
	require.NoError(t, err)
	require.Subset(t, list, []container.Info{want, named})
	require.Len(t, list, 3)

	ctr := func(arg ...string) {
		run(t, "ctr", append([]string{"--address", d.Address, "--namespace", "red"}, arg...)...)
	}
	ctr("tasks", "pause", longer.ID)
	requireStopped(t, "containerd://red/web", "paused")
	list, err = engine.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 3, "a paused container has a process")
	ctr("tasks", "resume", longer.ID)
	p, err := container.Open(longer.PID)
	require.NoError(t, err)
	defer p.Close()
	ctr("tasks", "kill", "--signal", "SIGKILL", longer.ID)
	require.Eventually(t, func() bool {
		_, err := engine.Find(t.Context(), "containerd://red/web")
		stopped := (*engine.NotRunningError)(nil)
		return errors.As(err, &stopped)
	}, patience, poll)
	requireStopped(t, "containerd://red/web", "stopped")
	list, err = engine.List(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.ErrorIs(t, p.Check(longer.ID), unix.ESRCH)
	_, err = engine.Find(t.Context(), "containerd://green/web")
	require.ErrorIs(t, err, container.ErrNotFound)
}

func TestCRI(t *testing.T) {
	d := fixture.NewContainerd(t)
	sockets(t, map[string]string{"CONTAINER_RUNTIME_ENDPOINT": "unix://" + d.Address, "CONTAINERD_ADDRESS": d.Address})
	r := pod.New(t, d)
	shop := r.Pod("default", "shop")
	id, pid := shop.Container("web", 0)
	want := container.Info{Engine: "cri", Namespace: "default", ID: id, Name: "shop/web", PID: pid}
	host, err := os.Hostname() // a pod with the host's network has the host's name
	require.NoError(t, err)
	requireFound(t, want, host, "cri://shop/web", "cri://default/shop/web", "cri://"+id, "cri://"+id[:12], "cri://web", "cri://shop",
		"shop/web", "default/shop/web", id, id[:12])

	list, err := engine.List(t.Context())
	require.NoError(t, err)
	require.Contains(t, list, want)
	require.Len(t, list, 2, "and the process that holds the pod's namespaces, which containerd alone has: %v", list)

	// A container that has taken the place of another has its name.
	shop.Stop(id)
	requireStopped(t, "cri://shop/web", "exited")
	id, pid = shop.Container("web", 1)
	want.ID, want.PID = id, pid
	requireFound(t, want, host, "cri://shop/web")

	created := shop.Create("sidecar", 0)
	requireStopped(t, "cri://shop/sidecar", "created")
	requireStopped(t, "cri://"+created, "created")

	// The same name in another namespace.
	_, other := r.Pod("test", "shop").Container("web", 0)
	_, err = engine.Find(t.Context(), "cri://shop/web")
	var ambiguous *container.AmbiguousError
	require.ErrorAs(t, err, &ambiguous)
	require.ErrorContains(t, err, "cri://default/shop/web")
	require.ErrorContains(t, err, "cri://test/shop/web")
	requireFound(t, want, host, "cri://default/shop/web")
	info, err := engine.Find(t.Context(), "cri://test/shop/web")
	require.NoError(t, err)
	require.Equal(t, other, info.PID)
}

// Without an engine, the host's cgroups tell.
func TestWithoutAnEngine(t *testing.T) {
	c := fixture.RuncContainer(t, fixture.ContainerSpec{Hostname: "alone"})
	docked := fixture.DockerContainer(t, fixture.ContainerSpec{})
	id := run(t, "docker", "inspect", "--format", "{{.Id}}", docked.ID)
	sockets(t, nil)
	requireFound(t, container.Info{ID: c.ID, PID: c.PID}, "alone", c.ID)
	requireFound(t, container.Info{ID: id, PID: docked.PID}, docked.Spec.Hostname, id, id[:12], "docker://"+id, "containerd://moby/"+id)
	_, err := engine.Find(t.Context(), docked.ID)
	require.ErrorIs(t, err, container.ErrNotFound, "names are the engine's affair")
}

func TestProcess(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, UTS: true, Hostname: "processed"})
	ref := "pid://" + strconv.Itoa(made.PID)
	requireFound(t, container.Info{Engine: "pid", ID: ref[6:], Name: ref[6:], PID: made.PID}, "processed", ref)
}
