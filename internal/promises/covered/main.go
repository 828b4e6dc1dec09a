// SPDX-License-Identifier: Apache-2.0

// Covered is a test's: it calls a function inside the namespaces of the process whose pid is its argument.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

var inside = reexec.Register("inside", inWorker)

func main() {
	reexec.Init()
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(argument string) error {
	pid, err := strconv.Atoi(argument)
	if err != nil {
		return err
	}
	target, err := launcher.PID(pid, ns.All)
	if err != nil {
		return err
	}
	defer target.Close()
	dir, err := inside.Call(context.Background(), reexec.In(target), struct{}{})
	fmt.Println(dir)
	return err
}
