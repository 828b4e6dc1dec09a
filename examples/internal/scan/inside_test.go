// SPDX-License-Identifier: Apache-2.0

//go:build linux

package scan

import (
	"io/fs"
	"net"
	"os"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestRelease(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"PRETTY_NAME=\"Box 12\"\nNAME=Box\n": "Box 12",
		"NAME=Box\nVERSION_ID=\"12\"\n":      "Box 12",
		"NAME=Box":                           "Box",
		"# a comment\n\nNAME":                "",
	} {
		got, err := release(fstest.MapFS{"etc/os-release": {Data: []byte(text)}})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// More entries than are read at a time are counted, those that are numbers, without our own.
func TestProcesses(t *testing.T) {
	proc := fstest.MapFS{"proc/self": {}, "proc/" + strconv.Itoa(os.Getpid()): {}}
	for i := range 1500 {
		proc["proc/"+strconv.Itoa(1<<22+i)] = &fstest.MapFile{}
	}
	n, err := processes(proc)
	require.NoError(t, err)
	require.Equal(t, 1500, n)
	_, err = processes(fstest.MapFS{"proc": {}})
	require.ErrorContains(t, err, "no directory")
	_, err = processes(fstest.MapFS{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// What is found of a listener is what it says of itself.
func TestListeners(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer udp.Close()
	list, err := listeners(os.DirFS("/"))
	require.NoError(t, err)
	require.Subset(t, list, []string{"tcp " + tcp.Addr().String(), "udp " + udp.LocalAddr().String()})
}
