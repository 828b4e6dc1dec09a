// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Airlock enters namespaces and runs programs there.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "github.com/airlock-ns/airlock/cnsenter/oneproc" // it starts sooner
)

func main() {
	os.Exit(run(os.Args))
}

func run(args []string) int {
	name := filepath.Base(args[0])
	if name == "nsenter" {
		return report(name, enter(name, args[1:]))
	}
	if len(args) < 2 {
		fmt.Fprint(os.Stderr, usage())
		return 1
	}
	if c := find(args[1]); c != nil {
		name = "airlock " + c.name
		return report(name, c.run(name, args[2:]))
	}
	switch args[1] {
	case "-h", "--help":
		fmt.Print(usage())
		return 0
	case "-V", "--version":
		fmt.Println(version())
		return 0
	}
	fmt.Fprintf(os.Stderr, "airlock: no such command: %s\n\n%s", args[1], usage())
	return 1
}

// statusError is an error with an exit status other than 1.
type statusError struct {
	error
	status int
}

// report prints an error, and returns the exit status for it.
func report(name string, err error) int {
	if err == nil {
		return 0
	}
	message := err.Error()
	for _, library := range []string{"launcher: ", "cnsenter: ", "ns: "} { // is of no interest at a command line
		message = strings.ReplaceAll(strings.TrimPrefix(message, library), ": "+library, ": ")
	}
	for line := range strings.SplitSeq(message, "\n") {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, line)
	}
	var s statusError
	if errors.As(err, &s) {
		return s.status
	}
	return 1
}
