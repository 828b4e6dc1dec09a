// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Nsenter runs a program in namespaces of a process, like nsenter(1): nsenter-in-40-lines -t 4711 -m -p ps
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

func main() {
	pid, types := flag.Int("t", 0, "`pid` of the target"), ns.Type(0)
	for letter, t := range map[string]ns.Type{
		"m": ns.Mount, "n": ns.Net, "p": ns.PID, "u": ns.UTS, "i": ns.IPC, "U": ns.User, "C": ns.Cgroup, "T": ns.Time, "a": ns.All,
	} {
		flag.BoolFunc(letter, "enter "+t.String(), func(string) error { types |= t; return nil })
	}
	flag.Parse()
	args := append(flag.Args(), "sh")[:max(1, flag.NArg())] // a shell, if there is no other program
	target, err := launcher.PID(*pid, types)
	if err == nil {
		cmd := launcher.Command(target, args[0], args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		err = cmd.Run()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		os.Exit(exit.ExitCode()) // the program's own
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "nsenter-in-40-lines:", err)
		os.Exit(1)
	}
}
