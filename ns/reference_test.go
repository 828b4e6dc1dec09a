// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

func TestFromSocket(t *testing.T) {
	fixture.Need(t, fixture.Root)
	net1 := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
	listener, err := ns.Call(func() (*net.UnixListener, error) {
		return net.ListenUnix("unix", &net.UnixAddr{Name: "@airlock-ns-test", Net: "unix"})
	}, net1)
	require.NoError(t, err)
	defer listener.Close()
	require.Equal(t, net1.ID(), must(ns.FromSocket(listener))(t).ID())

	_, err = ns.FromSocket(os.Stdin)
	require.ErrorIs(t, err, ns.ErrNotNamespace)
	require.ErrorIs(t, err, unix.ENOTSOCK)
}

func TestKernelID(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.KernelFeature("NS_GET_ID", func() error {
		h, err := ns.Current(ns.Net)
		if err != nil {
			return err
		}
		defer h.Close()
		_, err = h.KernelID()
		return err
	}))
	seen := map[ns.KernelID]bool{}
	for typ := range ns.All.Each() {
		h := must(ns.Current(typ))(t)
		id, err := h.KernelID()
		require.NoError(t, err)
		require.False(t, seen[id], "one number for two namespaces")
		seen[id] = true
		require.Equal(t, h.ID(), must(ns.OpenKernelID(id))(t).ID())
	}
	set, err := ns.New(ns.Spec{Types: ns.Net})
	require.NoError(t, err)
	id, err := set.Handle(ns.Net).KernelID()
	require.NoError(t, err)
	require.NoError(t, set.Close())
	require.Eventually(t, func() bool {
		h, err := ns.OpenKernelID(id)
		if err == nil {
			require.NoError(t, h.Close())
		}
		return errors.Is(err, unix.ESTALE)
	}, 10*time.Second, time.Millisecond)
}

func TestFromFile(t *testing.T) {
	f, err := os.Open("/proc/self/ns/net")
	require.NoError(t, err)
	h := must(ns.FromFile(f))(t)
	require.NoError(t, f.Close())
	require.NoError(t, second(h.OwnerUID()), "the duplicate is independent")
	for _, f := range []*os.File{f, nil} {
		_, err := ns.FromFile(f)
		require.Error(t, err)
	}
	dir, err := os.Open("/")
	require.NoError(t, err)
	defer dir.Close()
	_, err = ns.FromFile(dir)
	require.ErrorIs(t, err, ns.ErrNotNamespace)
}

func TestRelations(t *testing.T) {
	fixture.Need(t, fixture.Root)
	outer := newSet(t, ns.Spec{Types: ns.User | ns.PID | ns.Net})
	user, pid, net := outer.Handle(ns.User), outer.Handle(ns.PID), outer.Handle(ns.Net)
	require.Equal(t, user.ID(), must(net.Owner())(t).ID())
	require.Equal(t, ns.User, must(net.Owner())(t).Type())
	require.Equal(t, here(t, ns.PID), must(pid.Parent())(t).ID())
	require.Equal(t, here(t, ns.User), must(user.Parent())(t).ID())
	require.Equal(t, here(t, ns.User), must(user.Owner())(t).ID())
	uid, err := net.OwnerUID()
	require.NoError(t, err)
	require.Equal(t, os.Geteuid(), uid)

	for _, typ := range []ns.Type{ns.PID, ns.User} {
		_, err := must(ns.Current(typ))(t).Parent()
		require.ErrorIs(t, err, ns.ErrNoParent)
		require.ErrorIs(t, err, unix.EPERM)
	}
	_, err = net.Parent()
	require.ErrorIs(t, err, ns.ErrNoParent)
	require.ErrorIs(t, err, unix.EINVAL)
	_, err = must(ns.Current(ns.User))(t).Owner()
	require.ErrorIs(t, err, ns.ErrNoOwner)
	require.ErrorContains(t, err, "ns: find the owner of /proc/")
}

func TestHandleEqual(t *testing.T) {
	a, b := must(ns.Open("/proc/self/ns/net"))(t), must(ns.OpenPID(os.Getpid(), ns.Net))(t)
	require.True(t, a.ID() == b.ID())
	require.False(t, a.ID() == must(ns.Open("/proc/self/ns/uts"))(t).ID())
	byID := map[ns.ID]*ns.Handle{a.ID(): a}
	require.Same(t, a, byID[b.ID()])
}
