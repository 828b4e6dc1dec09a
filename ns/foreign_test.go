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
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	self := os.NewFile(uintptr(fd), "self")
	defer self.Close()
	foreign, err := ns.Foreign(self, os.Getpid(), ns.All)
	fmt.Println(foreign, err)
	// Output: none <nil>
}

// foreign holds a process for as long as it is asked.
func foreign(pid int, t ns.Type) (ns.Type, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer pidfd.Close()
	return ns.Foreign(pidfd, pid, t)
}

func TestForeign(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, Net: true, UTS: true})
	for asked, want := range map[ns.Type]ns.Type{
		ns.All: ns.User | ns.Net | ns.UTS, ns.Net | ns.IPC: ns.Net, ns.IPC: 0, 0: 0,
	} {
		got, err := foreign(made.PID, asked)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestForeignOfNoProcess(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Start())
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	require.NoError(t, err)
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer pidfd.Close()
	for {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		if err != unix.EINTR {
			break
		}
	}
	require.NoError(t, err)
	_, err = ns.Foreign(pidfd, cmd.Process.Pid, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH, "a zombie")
	require.NoError(t, cmd.Wait())
	_, err = ns.Foreign(pidfd, cmd.Process.Pid, ns.Net)
	require.ErrorIs(t, err, unix.ESRCH)
	_, err = ns.Foreign(pidfd, os.Getpid(), ns.Net)
	require.ErrorIs(t, err, unix.ESRCH, "the number is another process's by now")
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
		got, err := foreign(made.PID, ns.Net|ns.Mount|ns.UTS)
		net, noIoctl := unix.IoctlRetInt(self, unix.PIDFD_GET_NET_NAMESPACE)
		if noIoctl != nil { // before Linux 6.11 nobody can tell
			require.ErrorIs(t, err, fs.ErrNotExist)
			return nil
		}
		unix.Close(net)
		if err == nil {
			require.Equal(t, ns.Net, got)
		}
		return err
	}, h))
}

// Nor is a /proc believed that somebody has made up, who would have us think that there is nothing to enter.
func TestForeignWithFakeProc(t *testing.T) {
	fixture.Need(t, fixture.Root)
	made := fixture.New(t, fixture.Spec{Mount: true, UTS: true, Root: true, NoProc: true})
	h, err := ns.OpenPID(made.PID, ns.Mount)
	require.NoError(t, err)
	defer h.Close()
	var got ns.Type
	var notFound error // where nobody can tell, before Linux 6.11
	require.NoError(t, ns.Do(func() error {
		for _, process := range []string{"thread-self", fmt.Sprint(made.PID)} {
			if err := os.MkdirAll("/proc/"+process+"/ns", 0o755); err != nil {
				return err
			}
			if err := os.Symlink("uts:[1]", "/proc/"+process+"/ns/uts"); err != nil {
				return err
			}
		}
		got, notFound = foreign(made.PID, ns.UTS)
		return nil
	}, h))
	if notFound == nil {
		require.Equal(t, ns.UTS, got)
	}
}
