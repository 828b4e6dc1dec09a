// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package besidegons

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

var hostname = reexec.Register("hostname", func(context.Context, struct{}) (string, error) { return os.Hostname() })

func init() {
	gonsreexec.Register("hostname", func() {
		name, err := os.Hostname()
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(name)
		}
		if err != nil {
			panic(err)
		}
	})
}

func TestMain(m *testing.M) {
	reexec.Init()
	gonsreexec.CheckAction()
	fixture.Main(m)
}

// call is the work of both: the hostname as seen from namespaces of a process.
func call(t *testing.T, pid int, types ns.Type) (string, error) {
	t.Helper()
	target, err := launcher.PID(pid, types)
	require.NoError(t, err)
	defer target.Close()
	return hostname.Call(t.Context(), reexec.In(target), struct{}{})
}

func callByGons(path func(string) string, types ...string) (name string, err error) {
	var list []gonsreexec.Namespace
	for _, t := range types {
		list = append(list, gonsreexec.Namespace{Type: "!" + t, Path: path(t)})
	}
	err = gonsreexec.RunReexecAction("hostname", gonsreexec.Namespaces(list), gonsreexec.Result(&name))
	return name, err
}

func TestBothWorkInOneProgram(t *testing.T) {
	fixture.Need(t, fixture.Root)
	target := fixture.New(t, fixture.Spec{UTS: true, Mount: true, Net: true, IPC: true, Hostname: "beside"})
	name, err := call(t, target.PID, ns.UTS|ns.Mount|ns.Net|ns.IPC)
	require.NoError(t, err)
	require.Equal(t, "beside", name)
	name, err = callByGons(target.NS, "mnt", "net", "uts", "ipc")
	require.NoError(t, err)
	require.Equal(t, "beside", name)
}

// TestPIDNamespaceOfDockerContainer is about a process that joins a pid namespace and goes on: it cannot
// create threads (pid_namespaces(7)), so that a Go runtime that starts in it aborts. The constructor has to
// fork.
func TestPIDNamespaceOfDockerContainer(t *testing.T) {
	box := fixture.DockerContainer(t, fixture.ContainerSpec{Hostname: "docked"})

	_, err := callByGons(box.NS, "mnt", "net", "uts", "ipc", "pid")
	require.ErrorContains(t, err, "pthread_create failed")

	name, err := call(t, box.PID, ns.Mount|ns.Net|ns.UTS|ns.IPC|ns.PID)
	require.NoError(t, err)
	require.Equal(t, "docked", name)
}
