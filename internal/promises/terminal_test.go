// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// typing tries to type into the terminal that standard error is, TIOCSTI in ioctl_tty(2), and gives the errno.
var typing = reexec.Register("type", func(context.Context, struct{}) (syscall.Errno, error) {
	key := byte('x')
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, 2, unix.TIOCSTI, uintptr(unsafe.Pointer(&key)))
	return errno, nil
})

// onTerminal is what a process with a controlling terminal finds of itself, and of a worker in a target.
type onTerminal struct {
	Mine, Theirs estate
	Typing       syscall.Errno
}

func init() {
	roles["onterminal"] = func(pid string) int {
		number, _ := strconv.Atoi(pid)
		target, err := launcher.PID(number, ns.All)
		found := onTerminal{Mine: stock()}
		if err == nil {
			on := reexec.In(target)
			var failed error
			found.Theirs, err = takeStock.Call(context.Background(), on, struct{}{})
			found.Typing, failed = typing.Call(context.Background(), on, struct{}{})
			err = errors.Join(err, failed)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		json.NewEncoder(os.NewFile(3, "answer")).Encode(found)
		return 0
	}
}

// terminal makes a pseudoterminal, pty(7).
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func TestPromise24WorkerHasNoControllingTerminal(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true})
	_, slave := terminal(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd := inRole("onterminal", strconv.Itoa(target.PID))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	w.Close()
	var found onTerminal
	require.NoError(t, json.NewDecoder(r).Decode(&found))
	require.NoError(t, cmd.Wait())
	require.True(t, found.Mine.Terminal, "the caller has no terminal either")
	require.False(t, found.Theirs.Terminal)
	require.NotEqual(t, found.Mine.Session, found.Theirs.Session)
	// EIO where no program may do that at all, dev.tty.legacy_tiocsti.
	require.Contains(t, []syscall.Errno{syscall.EPERM, syscall.EIO}, found.Typing)
}
