// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Pin gives a network namespace a name under which it outlives every process, and takes the name away again, as ip-netns(8) does.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/airlock-ns/airlock/ns"
)

func main() {
	pid := flag.Int("pid", 0, "add the namespace of this process; 0: a new one")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: pin [-pid PID] add NAME\n       pin del NAME")
		flag.PrintDefaults()
	}
	flag.Parse()
	name := flag.Arg(1)
	if flag.NArg() != 2 || name != filepath.Base(name) { // a path is no name
		flag.Usage()
		os.Exit(1)
	}
	if err := do(flag.Arg(0), filepath.Join(ns.RunNetns, name), *pid); err != nil {
		fmt.Fprintln(os.Stderr, "pin:", err)
		os.Exit(1)
	}
}

func do(command, path string, pid int) error {
	switch command {
	case "add":
		if pid == 0 {
			return addNew(path)
		}
		return addOf(pid, path)
	case "del": // the namespace ends when no process is in it any more, and nobody has it open
		return ns.Unpin(path)
	}
	return fmt.Errorf("%q is neither add nor del", command)
}

// addNew makes a namespace. No process is in it: but for the pin it would end when the set is closed.
func addNew(path string) error {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		return err
	}
	defer set.Close()
	return pin(set.Handle(ns.Net), path)
}

// addOf takes the namespace in which a process is. It does not end with the process any more.
func addOf(pid int, path string) error {
	net, err := ns.OpenPID(pid, ns.Net)
	if err != nil {
		return err
	}
	defer net.Close()
	return pin(net, path)
}

func pin(net *ns.Handle, path string) error {
	if err := net.Pin(path); err != nil {
		return err
	}
	fmt.Println(path, "is", net)
	return nil
}
