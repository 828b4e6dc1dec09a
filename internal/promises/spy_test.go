// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/launcher"
)

// findings are what a spy tried to get of a process, and why it did not, or "".
type findings map[string]string

func init() {
	roles["spy"] = func(pid string) int {
		number, _ := strconv.Atoi(pid)
		json.NewEncoder(os.Stdout).Encode(look(number))
		return 0
	}
}

func look(pid int) findings {
	found := findings{}
	note := func(what string, err error) {
		found[what] = ""
		if err != nil {
			found[what] = err.Error()
		}
	}
	proc := fmt.Sprintf("/proc/%d/", pid)
	open := func(name string, flags int) error {
		f, err := os.OpenFile(proc+name, flags, 0)
		if err == nil {
			defer f.Close()
		}
		if err == nil && flags == os.O_RDONLY && name != "mem" {
			_, err = f.Read(make([]byte, 1)) // some files refuse only that
		}
		return err
	}
	for _, name := range []string{"environ", "maps", "mem", "auxv", "stack", "syscall", "exe"} {
		note(name, open(name, os.O_RDONLY))
	}
	note("write mem", open("mem", os.O_RDWR))
	note("write exe", open("exe", os.O_WRONLY))
	for _, name := range []string{"root", "cwd", "exe", "fd/0", "ns/net"} {
		_, err := os.Readlink(proc + name)
		note("link "+name, err)
	}
	_, err := os.ReadDir(proc + "root/")
	note("files", err)
	word := make([]byte, 1)
	_, err = unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &word[0], Len: 1}}, []unix.RemoteIovec{{Base: 0x10000, Len: 1}}, 0)
	if err == unix.EFAULT { // allowed, but nothing is there
		err = nil
	}
	note("memory", err)
	note("trace", trace(pid))
	if pidfd, err := unix.PidfdOpen(pid, 0); err == nil {
		_, err = unix.PidfdGetfd(pidfd, 0, 0)
		note("descriptor", err)
		unix.Close(pidfd)
	}
	return found
}

// trace attaches to the process and lets it go.
func trace(pid int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PtraceSeize(pid); err != nil {
		return err
	}
	unix.PtraceInterrupt(pid)
	unix.Wait4(pid, nil, unix.WALL, nil)
	return unix.PtraceDetach(pid)
}

// spy runs one inside the target, as its root.
func spy(t *testing.T, target *launcher.Target, pid int) (found findings) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := launcher.Command(target, self)
	cmd.Env = append(inRole("spy", strconv.Itoa(pid)).Env, "PATH=/usr/bin:/bin")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &found))
	return found
}
