// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"io"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

// newBox makes a target with a page to serve.
func newBox(t *testing.T) (inside *launcher.Target, network *ns.Handle) {
	fixture.Need(t, fixture.Cgo)
	box := fixture.New(t, fixture.Spec{User: true, Net: true, Root: true, Files: map[string]string{"/page": "hello"}})
	inside, err := launcher.PID(box.PID, ns.User|ns.Mount|ns.Net)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, inside.Close()) })
	network, err = ns.OpenPID(box.PID, ns.Net)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	return inside, network
}

// The process that opened them has ended when the file is read. The socket is of the container's network still.
func TestOpenedInsideUsedOutside(t *testing.T) {
	inside, network := newBox(t)
	o, err := open.Call(t.Context(), reexec.In(inside), "/page")
	require.NoError(t, err)
	defer o.Page.Close()
	defer o.Listener.Close()
	text, err := io.ReadAll(o.Page)
	require.NoError(t, err)
	require.Equal(t, "hello", string(text))
	of, err := ns.FromSocket(o.Listener)
	require.NoError(t, err)
	defer of.Close()
	require.Equal(t, network.ID(), of.ID())
}

// Where a call fails there is nothing to close.
func TestNoSuchFile(t *testing.T) {
	inside, _ := newBox(t)
	o, err := open.Call(t.Context(), reexec.In(inside), "/nope")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Zero(t, o)
}
