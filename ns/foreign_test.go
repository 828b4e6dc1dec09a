// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func ExampleForeign() {
	self, foreign, err := ns.Foreign(os.Getpid(), ns.All)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer self.Close()
	fmt.Println(foreign)
	// Output: none
}

func TestForeign(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, Net: true, UTS: true})
	for asked, want := range map[ns.Type]ns.Type{
		ns.All: ns.User | ns.Net | ns.UTS, ns.Net | ns.IPC: ns.Net, ns.IPC: 0, 0: 0,
	} {
		process, got, err := ns.Foreign(made.PID, asked)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, process.Close())
	}
}

func TestForeignOfNoProcess(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	for {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		if err != unix.EINTR {
			break
		}
	}
	require.NoError(t, err)
	_, _, err = ns.Foreign(cmd.Process.Pid, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH, "a zombie")
	require.NoError(t, cmd.Wait())
	_, _, err = ns.Foreign(4194305, ns.Net) // above PID_MAX_LIMIT
	require.Error(t, err)
	_, _, err = ns.Foreign(-1, ns.Net)
	require.ErrorIs(t, err, unix.EINVAL)
}

// Inside a Do the links in /proc may be anybody's: then the namespaces are asked themselves.
func TestForeignWithoutProc(t *testing.T) {
	fixture.Need(t, fixture.Root)
	made := fixture.New(t, fixture.Spec{Mount: true, Net: true, Root: true, NoProc: true})
	h, err := ns.OpenPID(made.PID, ns.Mount)
	require.NoError(t, err)
	defer h.Close()
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	require.NoError(t, err)
	defer unix.Close(self)
	require.NoError(t, ns.Do(func() error {
		process, foreign, err := ns.Foreign(made.PID, ns.Net|ns.Mount|ns.UTS)
		net, noIoctl := unix.IoctlRetInt(self, unix.PIDFD_GET_NET_NAMESPACE)
		if noIoctl != nil { // before Linux 6.11 nobody can tell
			require.ErrorIs(t, err, fs.ErrNotExist)
			return nil
		}
		unix.Close(net)
		if err == nil {
			process.Close()
			require.Equal(t, ns.Net, foreign)
		}
		return err
	}, h))
}
