// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// list returns what List finds, by ID.
func list(t testing.TB) map[ns.ID]ns.Info {
	t.Helper()
	found := map[ns.ID]ns.Info{}
	for info, err := range ns.List(context.Background()) {
		require.NoError(t, err)
		require.NotContains(t, found, info.ID, "yielded twice")
		found[info.ID] = info
	}
	return found
}

func TestListFindsOwnNamespaces(t *testing.T) {
	found := list(t)
	for typ := range ns.All.Each() {
		info, ok := found[here(t, typ)]
		require.True(t, ok, typ)
		require.Equal(t, typ, info.Type)
		require.Contains(t, info.PIDs, os.Getpid())
		require.NotEmpty(t, info.Command)
		require.Equal(t, info.ID, must(info.Open())(t).ID())
		if owner, err := must(info.Open())(t).Owner(); err == nil {
			require.Equal(t, owner.ID(), info.Owner)
			require.NoError(t, owner.Close())
		}
	}
}

func TestListFindsEveryKeeper(t *testing.T) {
	fixture.Need(t, fixture.Root)
	byDescriptor := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)

	bySocket, err := ns.New(ns.Spec{Types: ns.Net})
	require.NoError(t, err)
	socketID := bySocket.Handle(ns.Net).ID()
	listener, err := ns.Call(func() (net.Listener, error) { return net.Listen("unix", "@airlock-ns-list") },
		bySocket.Handle(ns.Net))
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, bySocket.Close())

	owned, err := ns.New(ns.Spec{Types: ns.User | ns.UTS})
	require.NoError(t, err)
	byNamespace := owned.Handle(ns.User).ID()
	uts := must(ns.FromFile(owned.Handle(ns.UTS).File()))(t)
	require.NoError(t, owned.Close())

	byThread := newSet(t, ns.Spec{Types: ns.IPC}).Handle(ns.IPC)
	byChildren := newSet(t, ns.Spec{Types: ns.PID})

	require.NoError(t, ns.Do(func() error {
		found := list(t)
		requireKept(t, found[byDescriptor.ID()], ns.KeptByDescriptor)
		requireKept(t, found[socketID], ns.KeptBySocket)
		require.Empty(t, found[socketID].PIDs)
		requireKept(t, found[byNamespace], ns.KeptByNamespace)
		require.Equal(t, byNamespace, found[uts.ID()].Owner)
		require.Equal(t, found[byNamespace].Owner, found[byNamespace].Parent)
		requireKept(t, found[byThread.ID()], ns.KeptByThread)
		requireKept(t, found[byChildren.Handle(ns.PID).ID()], ns.KeptByChildren)
		require.Equal(t, []int{byChildren.Init()}, found[byChildren.Handle(ns.PID).ID()].PIDs)
		return nil
	}, byThread, byChildren.Handle(ns.PID)))
}

func requireKept(t *testing.T, info ns.Info, kind ns.KeeperKind) {
	t.Helper()
	for _, k := range info.Keepers {
		if k.Kind != kind {
			continue
		}
		if kind == ns.KeptByNamespace {
			return
		}
		only := info
		only.PIDs, only.Keepers = nil, []ns.Keeper{k}
		require.Equal(t, info.ID, must(only.Open())(t).ID(), "open by %v", k)
		return
	}
	require.Failf(t, "no such keeper", "%s among %+v", kind, info)
}

// The descriptor of a namespace that was opened where it is mounted has that path as its link, which is gone with the mount.
func TestListFindsWhatWasMounted(t *testing.T) {
	fixture.Need(t, fixture.Root)
	path := filepath.Join(t.TempDir(), "net")
	set := newSet(t, ns.Spec{Types: ns.Net})
	require.NoError(t, set.Handle(ns.Net).Pin(path))
	opened, err := ns.Open(path)
	require.NoError(t, err)
	defer opened.Close()
	require.NoError(t, set.Close())
	requireKept(t, list(t)[opened.ID()], ns.KeptByDescriptor)
	require.NoError(t, ns.Unpin(path))
	requireKept(t, list(t)[opened.ID()], ns.KeptByDescriptor)
}

func TestListFindsPins(t *testing.T) {
	fixture.Need(t, fixture.Root)
	privately(t, func() {
		require.NoError(t, os.Mkdir("/run/a dir", 0o755))
		const path = "/run/a dir/net"
		set, err := ns.New(ns.Spec{Types: ns.Net})
		require.NoError(t, err)
		id := set.Handle(ns.Net).ID()
		require.NoError(t, set.Handle(ns.Net).Pin(path))
		require.NoError(t, set.Close())
		// A process in this mount namespace: List reads the mounts of processes.
		cmd := exec.Command("sleep", "3600")
		require.NoError(t, cmd.Start())
		info := list(t)[id]
		requireKept(t, info, ns.KeptByMount)
		require.Equal(t, path, info.Keepers[0].Path)
		require.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		require.NoError(t, ns.Unpin(path))
	})
}

func TestListEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for _, err := range ns.List(ctx) {
		if n++; n == 1 {
			require.NoError(t, err)
			cancel()
			continue
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, 2, n)
	for range ns.List(context.Background()) {
		break // nothing is left open, TestMain checks
	}
}

// Processes come and go: lsns(8) and List are compared by what does not, a target's namespaces.
func TestListAgreesWithLsns(t *testing.T) {
	fixture.Need(t, fixture.Program("lsns"))
	tgt := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true})
	var out []byte
	require.Eventually(t, func() (ok bool) { // it fails where a process ends under its eyes
		var err error
		out, err = exec.Command("lsns", "-J", "-l", "-o", "NS,TYPE,PID,PNS,ONS,COMMAND").Output()
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	var lsns struct {
		Namespaces []struct {
			NS      uint64
			Type    string
			PID     int
			PNS     uint64
			ONS     uint64
			Command string
		}
	}
	require.NoError(t, json.Unmarshal(out, &lsns), "%s", out)
	found := map[uint64]ns.Info{}
	for id, info := range list(t) {
		found[id.Ino] = info
	}
	own := map[uint64]bool{}
	for typ := range (ns.All &^ ns.Time).Each() {
		own[must(ns.OpenPID(tgt.PID, typ))(t).ID().Ino] = true
	}
	compared := 0
	for _, theirs := range lsns.Namespaces {
		if !own[theirs.NS] {
			continue
		}
		compared++
		ours, ok := found[theirs.NS]
		require.True(t, ok, "%+v", theirs)
		require.Equal(t, theirs.Type, ours.Type.String())
		require.Contains(t, ours.PIDs, theirs.PID)
		require.Equal(t, theirs.ONS, ours.Owner.Ino, theirs.Type)
		require.Equal(t, theirs.PNS, ours.Parent.Ino, theirs.Type)
		require.Contains(t, ours.Command, theirs.Command)
	}
	require.Equal(t, len(own), compared, "%d in %s", tgt.PID, out)
}

func TestAgreesWithReadlink(t *testing.T) {
	tgt := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true})
	for typ := range ns.All.Each() {
		out, err := os.Readlink(tgt.NS(typ.String()))
		require.NoError(t, err)
		require.Equal(t, out, must(ns.OpenPID(tgt.PID, typ))(t).String())
	}
}

func BenchmarkList(b *testing.B) {
	fixture.Need(b, fixture.Root)
	for range 500 {
		newSet(b, ns.Spec{Types: ns.PID})
	}
	b.Run("List", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range ns.List(context.Background()) {
				require.NoError(b, err)
				n++
			}
			require.GreaterOrEqual(b, n, 500)
		}
	})
	b.Run("lsns", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, exec.Command("lsns").Run())
		}
	})
	_ = unix.Getpid
}
