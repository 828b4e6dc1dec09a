// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/ns"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

// What a container sends to itself is seen from outside, whatever runs it.
func TestContainers(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, start := range map[string]func(t *testing.T) *fixture.Container{
		"runc": func(t *testing.T) *fixture.Container { return fixture.RuncContainer(t, fixture.ContainerSpec{}) },
		"runc user namespace": func(t *testing.T) *fixture.Container {
			return fixture.RuncContainer(t, fixture.ContainerSpec{UserNS: true})
		},
		"docker": func(t *testing.T) *fixture.Container { return fixture.DockerContainer(t, fixture.ContainerSpec{}) },
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			talk(t, c.NS("net"))
			var out bytes.Buffer
			require.NoError(t, capture(context.Background(), &out, strconv.Itoa(c.PID), "lo", 4))
			require.Equal(t, 4, strings.Count(out.String(), "> 127.0.0.1:9, 5 bytes\n"), out.String())
			require.Contains(t, out.String(), "out udp 127.0.0.1:")
			require.Contains(t, out.String(), "in  udp 127.0.0.1:")
		})
	}
}

// talk sends datagrams to itself inside until the test ends.
func talk(t *testing.T, netns string) {
	h, err := ns.Open(netns)
	require.NoError(t, err)
	defer h.Close()
	conn, err := ns.Call(func() (*net.UDPConn, error) {
		return net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
	}, h)
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 5)
		for { // each is sent when the one before has come
			if _, err := conn.WriteTo(buf, conn.LocalAddr()); err != nil {
				return
			}
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		<-ended
	})
}

func TestErrors(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS)
	err := capture(context.Background(), &bytes.Buffer{}, "", "eth7", 1)
	require.ErrorContains(t, err, "no such network interface")
	err = capture(context.Background(), &bytes.Buffer{}, "0", "lo", 1)
	require.ErrorContains(t, err, "pid 0")
	if os.Geteuid() != 0 {
		err = capture(context.Background(), &bytes.Buffer{}, strconv.Itoa(os.Getpid()), "lo", 1)
		require.ErrorIs(t, err, os.ErrPermission, "our own namespaces are not ours to listen in")
	}
}
