// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

// newNet makes a network namespace without a user namespace of its own.
func newNet(t *testing.T) *ns.Handle {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, set.Close()) })
	return set.Handle(ns.Net)
}

// addVeth gives the network namespace of the handle a pair of interfaces, one of them with an address.
func addVeth(t *testing.T, handle *netlink.Handle) {
	require.NoError(t, handle.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "blue0"}, PeerName: "blue1"}))
	blue0, err := handle.LinkByName("blue0")
	require.NoError(t, err)
	address, err := netlink.ParseAddr("192.0.2.1/24")
	require.NoError(t, err)
	require.NoError(t, handle.AddrAdd(blue0, address))
}

// Root has three ways to talk netlink in another network namespace, and all see the same: a socket made in there, a thread
// that goes there, and a process.
func TestThreeWays(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.Cgo)
	blue := newNet(t)

	handle, err := netlink.NewHandleAt(netns.NsHandle(blue.File().Fd()))
	require.NoError(t, err)
	defer handle.Close()
	addVeth(t, handle)

	visited, err := ns.Call(links, blue)
	require.NoError(t, err)
	require.Len(t, visited, 3, "lo and the two that were added")

	path := filepath.Join(t.TempDir(), "blue") // as "ip netns add blue" makes one
	require.NoError(t, blue.Pin(path))
	defer func() { require.NoError(t, ns.Unpin(path)) }()
	inside, done, err := target.Open(t.Context(), path, ns.User|ns.Net)
	require.NoError(t, err)
	defer done()
	called, err := linksInside.Call(t.Context(), reexec.In(inside), struct{}{})
	require.NoError(t, err)
	require.Equal(t, visited, called)
	require.Contains(t, called, link{"blue0", "broadcast|multicast", 1500, []string{"192.0.2.1/24"}})
}

func TestNoSuchProcess(t *testing.T) {
	err := interfaces(t.Context(), "999999999")
	require.ErrorIs(t, err, syscall.ESRCH)
	require.ErrorContains(t, err, "open pid 999999999")
}
