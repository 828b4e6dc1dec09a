// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func ExampleForeign() {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	self := os.NewFile(uintptr(fd), "self")
	defer self.Close()
	fmt.Println(ns.Foreign(self, ns.All))
	// Output: none <nil>
}

func TestForeign(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, Net: true, UTS: true})
	fd, err := unix.PidfdOpen(made.PID, 0)
	require.NoError(t, err)
	process := os.NewFile(uintptr(fd), "target")
	defer process.Close()
	for asked, want := range map[ns.Type]ns.Type{
		ns.All: ns.User | ns.Net | ns.UTS, ns.Net | ns.IPC: ns.Net, ns.IPC: 0, 0: 0,
	} {
		got, err := ns.Foreign(process, asked)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, made.Close())
	_, err = ns.Foreign(process, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH)
}

func TestForeignOfAZombie(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	defer cmd.Wait()
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	require.NoError(t, err)
	process := os.NewFile(uintptr(fd), "zombie")
	defer process.Close()
	_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
	require.NoError(t, err)
	_, err = ns.Foreign(process, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH)
}
