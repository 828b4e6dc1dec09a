// SPDX-License-Identifier: Apache-2.0

//go:build linux

package scan

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

// enter is the Target of a throw-away target's namespaces.
func enter(t *testing.T, tgt *fixture.Target) *launcher.Target {
	target, err := launcher.PID(tgt.PID, ns.All)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, target.Close()) })
	return target
}

// stuck is a Starter whose worker never comes to answer: it is another program.
type stuck struct{}

func (stuck) Start(cmd *exec.Cmd) error {
	cmd.Path, cmd.Args = "/bin/sleep", []string{"sleep", "3600"}
	return cmd.Start()
}

// furnished is what a container has that means no harm.
var furnished = fixture.Spec{
	Mount: true, PID: true, Net: true, UTS: true, IPC: true, Root: true,
	Files: map[string]string{"/etc/os-release": "NAME=Box\nPRETTY_NAME=\"Box 12 (bookworm)\"\n"},
}

func TestScan(t *testing.T) {
	s := scanner(t, patience)
	place := at("good", enter(t, fixture.New(t, furnished)))
	for range 3 {
		row := rows(t, s, []Place{place})["good"]
		require.Empty(t, row.Error)
		require.Equal(t, Sight{Hostname: "target", OS: "Box 12 (bookworm)", Processes: 1}, row.Sight)
	}
	require.Equal(t, uint64(1), s.Pool.Stats().Started, "the second round finds the worker of the first")
}

// A bad container is a row with an error, and the others are as they are without it.
func TestScanBad(t *testing.T) {
	s := scanner(t, patience)
	with := func(change func(*fixture.Spec)) *launcher.Target {
		spec := furnished
		change(&spec)
		return enter(t, fixture.New(t, spec))
	}
	dead := fixture.New(t, furnished)
	deadTarget := enter(t, dead)
	require.NoError(t, dead.Close())
	places := []Place{
		at("good", enter(t, fixture.New(t, furnished))),
		at("dead", deadTarget),
		at("no name", with(func(s *fixture.Spec) { s.Files = nil })),
		at("pipe", with(func(s *fixture.Spec) { s.Files, s.FIFOs = nil, []string{"/etc/os-release"} })),
		at("garbage", with(func(s *fixture.Spec) { s.Files = map[string]string{"/etc/os-release": "NAME=\xff\n"} })),
		at("endless line", with(func(s *fixture.Spec) {
			s.Files = map[string]string{"/etc/os-release": "NAME=" + strings.Repeat("x", most)}
		})),
		at("no /proc", with(func(s *fixture.Spec) { s.NoProc = true })),
		at("pipes in /proc", with(func(s *fixture.Spec) {
			s.NoProc, s.FIFOs = true, []string{"/proc/net/tcp", "/proc/self/maps", "/proc/self/fd"}
		})),
		at("last", enter(t, fixture.New(t, furnished))),
	}
	found := rows(t, s, places)
	for name, says := range map[string]string{
		"good": "", "last": "", "no name": "",
		"dead":           "no such process",
		"pipe":           "neither file nor directory",
		"garbage":        "not valid UTF-8",
		"endless line":   "token too long",
		"no /proc":       "/proc/self/fd",
		"pipes in /proc": "/proc/self/fd",
	} {
		if says == "" {
			require.Empty(t, found[name].Error, name)
			require.Equal(t, "target", found[name].Hostname, name)
		} else {
			require.Contains(t, found[name].Error, says, name)
		}
	}
	require.Len(t, found, len(places))
}

func TestScanStuck(t *testing.T) {
	s := scanner(t, 100*time.Millisecond)
	found := rows(t, s, []Place{at("box", stuck{})})
	require.Contains(t, found["box"].Error, "no answer in 100ms")
	s.Timeout = patience
	target := enter(t, fixture.New(t, furnished))
	require.Empty(t, rows(t, s, []Place{at("box", target)})["box"].Error, "it is tried again")
}

// A host name so long that the standard library takes it for cut off makes nobody open the file that is said to have all of it.
func TestScanLongName(t *testing.T) {
	fixture.Need(t, fixture.Root)
	spec := furnished
	spec.Hostname, spec.FIFOs = strings.Repeat("x", 64), []string{"/fifo"}
	box := fixture.New(t, spec)
	mount, err := ns.OpenPID(box.PID, ns.Mount)
	require.NoError(t, err)
	defer mount.Close()
	require.NoError(t, ns.Do(func() error {
		return unix.Mount("/fifo", "/proc/sys/kernel/hostname", "", unix.MS_BIND, "")
	}, mount))
	row := rows(t, scanner(t, patience), []Place{at("box", enter(t, box))})["box"]
	require.Empty(t, row.Error)
	require.Equal(t, spec.Hostname, row.Hostname)
}

// A frozen first process keeps nobody from looking: the worker is in its namespaces, and not in its cgroup.
func TestScanFrozen(t *testing.T) {
	for name, kind := range map[string]fixture.FreezerKind{"v1": fixture.FreezerV1, "v2": fixture.FreezerV2} {
		t.Run(name, func(t *testing.T) {
			freezer := kind.New(t)
			tgt := fixture.New(t, furnished)
			require.NoError(t, freezer.Add(tgt.PID))
			require.NoError(t, freezer.Freeze())
			t.Cleanup(func() { require.NoError(t, freezer.Thaw()) })
			require.Empty(t, rows(t, scanner(t, patience), []Place{at("frozen", enter(t, tgt))})["frozen"].Error)
		})
	}
}

func TestScanCancelled(t *testing.T) {
	s := scanner(t, patience)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs []string
	s.Scan(ctx, []Place{at("any", nil)}, func(r Row) { errs = append(errs, r.Error) })
	require.Len(t, errs, 1)
	require.Contains(t, errs[0], "context canceled")
}
