// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

// silentFS is where a file system is mounted whose server, this process, does not answer, fuse(4).
const silentFS = "/mnt/silent"

var canFUSE = fixture.KernelFeature("FUSE", func() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
})

// mountSilent mounts the file system in the target, and gives the server's end.
var mountSilent = reexec.Register("mount a silent file system", func(context.Context, struct{}) (reexec.File, error) {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return reexec.File{}, err
	}
	server := reexec.File{File: os.NewFile(uintptr(fd), "fuse")}
	if err := os.Mkdir(silentFS, 0o755); err != nil {
		return server, err
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)
	return server, unix.Mount("silent", silentFS, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options)
})

// openSilent is held up by the server.
var openSilent = reexec.Register("open a silent file", func(context.Context, struct{}) (int, error) {
	_, err := os.Open(silentFS + "/file")
	return 0, err
})

// greet answers the first request, of which the kernel waits for the answer before it sends others.
func greet(t *testing.T, server *os.File) {
	t.Helper()
	request := make([]byte, 1<<20) // no less is read
	n, err := unix.Read(int(server.Fd()), request)
	require.NoError(t, err)
	require.Greater(t, n, 40)
	require.EqualValues(t, 26, binary.LittleEndian.Uint32(request[4:]), "FUSE_INIT")
	answer := make([]byte, 16+64) // struct fuse_out_header and struct fuse_init_out
	binary.LittleEndian.PutUint32(answer, uint32(len(answer)))
	copy(answer[8:], request[8:16])                     // the number of the request
	binary.LittleEndian.PutUint32(answer[16:], 7)       // version 7
	binary.LittleEndian.PutUint32(answer[20:], 31)      // .31
	binary.LittleEndian.PutUint32(answer[36:], 128<<10) // the longest write
	_, err = unix.Write(int(server.Fd()), answer)
	require.NoError(t, err)
}

// awaitRequest waits until there is one to be read.
func awaitRequest(t *testing.T, server *os.File) {
	t.Helper()
	for {
		fds := []unix.PollFd{{Fd: int32(server.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		require.NoError(t, err)
		require.Equal(t, 1, n)
		return
	}
}
