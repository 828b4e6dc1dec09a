// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// probe prints what a program sees of what it was started with, a line each.
func probe() int {
	if len(os.Args) > 2 && os.Args[1] == "signals" {
		return probeSignals(os.Args[2])
	}
	fmt.Println("arguments", strconv.Quote(strings.Join(os.Args, " ")))
	for t := range ns.All.Each() {
		if h, err := ns.Current(t); err == nil {
			fmt.Println(t, h)
			if id, err := h.KernelID(); err == nil {
				fmt.Println("number", t, id.Number)
			}
			h.Close()
		}
	}
	ruid, euid, suid := unix.Getresuid()
	rgid, egid, sgid := unix.Getresgid()
	fmt.Println("uid", ruid, euid, suid)
	fmt.Println("gid", rgid, egid, sgid)
	groups, err := unix.Getgroups()
	slices.Sort(groups)
	fmt.Println("groups", groups, err)
	wd, err := unix.Getwd()
	fmt.Println("wd", wd, err)
	fmt.Println("init", os.Getpid() == 1, os.Getppid() == 0)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	err = unix.Capget(&header, &caps[0])
	fmt.Printf("caps %#x %#x %v\n", uint64(caps[1].Effective)<<32|uint64(caps[0].Effective),
		uint64(caps[1].Inheritable)<<32|uint64(caps[0].Inheritable), err)
	for fd := range 64 {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 { // the others it has made itself
			fmt.Println("fd", fd)
		}
	}
	env := os.Environ()
	slices.Sort(env)
	for _, v := range env {
		fmt.Println("env", v)
	}
	return 0
}

// hide makes the process one whose files in /proc are root's, says so in the file that its argument names, and stays.
func hide() {
	err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	if err == nil {
		err = os.WriteFile(os.Args[1], []byte("ready\n"), 0o600)
	}
	if err != nil {
		panic(err)
	}
	for {
		time.Sleep(time.Hour)
	}
}

// probeSignals writes to the file that it is ready, and the number of every signal that comes, a line each. SIGKILL ends it.
func probeSignals(path string) int {
	got := make(chan os.Signal, 64)
	signal.Notify(got)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Fprintln(file, "ready")
	for s := range got {
		fmt.Fprintln(file, int(s.(syscall.Signal)))
	}
	return 0
}
