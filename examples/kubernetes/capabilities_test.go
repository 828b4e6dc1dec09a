// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/examples/internal/scan"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// capabilities are those that the program needs, each with what goes wrong without it.
var capabilities = map[string]struct {
	number  int
	without outcome
}{
	"SYS_PTRACE": {unix.CAP_SYS_PTRACE, outcome{Scan: "permission denied"}},
	"SYS_ADMIN":  {unix.CAP_SYS_ADMIN, outcome{Scan: "operation not permitted"}},
	"SYS_CHROOT": {unix.CAP_SYS_CHROOT, outcome{Scan: "operation not permitted"}},
	"KILL":       {unix.CAP_KILL, outcome{Kill: "operation not permitted"}},
}

func capabilityMask() (mask uint64) {
	for _, c := range capabilities {
		mask |= 1 << c.number
	}
	return mask
}

// outcome is what came of looking into a container of root's, and of the right to end a worker in another user's. Empty: it went well.
type outcome struct{ Scan, Kill string }

// targets are the pids of the first processes of the two.
type targets struct{ Root, User int }

// try is called with some capabilities and without others.
var try = reexec.Register("try", func(ctx context.Context, t targets) (o outcome, err error) {
	s := scan.Scanner{Parallel: 1, Timeout: patience}
	defer s.Pool.Close()
	s.Scan(ctx, []scan.Place{{Starter: entrance(t.Root)}}, func(r scan.Row) { o.Scan = r.Error })
	// A worker becomes the root of the user namespace, and so has the user's id, as the first process has. Signal 0 asks for the right
	// only, kill(2).
	if err := unix.Kill(t.User, 0); err != nil {
		o.Kill = err.Error()
	}
	return o, nil
})

// entrance is the way into the namespaces of a process.
type entrance int

func (pid entrance) Start(cmd *exec.Cmd) error {
	target, err := launcher.PID(int(pid), ns.All)
	if err != nil {
		return err
	}
	defer target.Close()
	return target.Start(cmd)
}

// rootless starts a process in a user namespace that is another user's, as that of a rootless engine is.
func rootless(t *testing.T) (pid int) {
	fixture.Need(t, fixture.Program("setpriv", "unshare"))
	cmd := exec.Command("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "--map-root-user", "cat")
	line, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, line.Close())
		require.NoError(t, cmd.Wait())
	})
	_, err = line.Write([]byte("here\n"))
	require.NoError(t, err)
	_, err = out.Read(make([]byte, 5)) // so it is there
	require.NoError(t, err)
	return cmd.Process.Pid
}

// TestCapabilities holds that the manifest has what is needed, and nothing more.
func TestCapabilities(t *testing.T) {
	var listed []string
	for _, name := range podSpec(t).Containers[0].SecurityContext.Capabilities.Add {
		listed = append(listed, string(name))
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(capabilities)), listed)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for name := range capabilities {
		require.Contains(t, string(readme), "| `"+name+"` |")
	}

	fixture.Need(t, fixture.Cgo, fixture.Root)
	box := fixture.New(t, fixture.Spec{Mount: true, PID: true, Net: true, UTS: true, IPC: true, Root: true})
	in := targets{box.PID, rootless(t)}
	call := func(set uint64) outcome {
		o, err := try.Call(t.Context(), reexec.In(cnsenter.Plan{
			cnsenter.SetCaps(cnsenter.Caps{Effective: set, Permitted: set, Bounding: set}),
		}), in)
		require.NoError(t, err)
		return o
	}
	require.Equal(t, outcome{}, call(capabilityMask()))
	for name, c := range capabilities {
		got := call(capabilityMask() &^ (1 << c.number))
		require.Contains(t, got.Scan, c.without.Scan, "without %s", name)
		require.Equal(t, c.without.Scan == "", got.Scan == "", "without %s: %s", name, got.Scan)
		require.Equal(t, c.without.Kill, got.Kill, "without %s", name)
	}
}
