// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"encoding/json"
	"fmt"
	"os"

	gons "github.com/thediveo/gons/reexec"
)

// The action gets its parameter on standard input, and prints its result on standard output. It can return no error: a panic, of which
// the caller gets the text, is all that can be done with one.
func init() {
	gons.Register("look", func() {
		var path string
		if err := json.NewDecoder(os.Stdin).Decode(&path); err != nil {
			panic(err)
		}
		s, err := look(path)
		if err != nil {
			panic(err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
			panic(err)
		}
	})
}

// lookByGons calls look in the namespaces of a process.
func lookByGons(pid int, path string) (s sight, err error) {
	var namespaces []gons.Namespace
	for _, t := range []string{"user", "mnt", "net", "uts", "ipc"} { // in this order; with "pid" the copy aborts before main
		there := fmt.Sprintf("/proc/%d/ns/%s", pid, t)
		same, err := sameFile(there, "/proc/self/ns/"+t)
		if err != nil {
			return s, err
		}
		if !same { // setns(2) refuses a user namespace that one is in
			namespaces = append(namespaces, gons.Namespace{Type: "!" + t, Path: there})
		}
	}
	err = gons.RunReexecAction("look", gons.Namespaces(namespaces), gons.Param(path), gons.Result(&s))
	return s, err
}

func sameFile(a, b string) (bool, error) {
	one, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	other, err := os.Stat(b)
	return os.SameFile(one, other), err
}
