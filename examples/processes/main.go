// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Processes lists the processes that a container sees, by the numbers that they have inside.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

type process struct {
	PID     int
	Command string
}

// list reads /proc, proc(5), which shows the PID namespace that it was mounted in, to whoever sees the mount.
var list = reexec.Register("list", func(context.Context, struct{}) ([]process, error) {
	entries, err := os.ReadDir("/proc/self/..") // without self it is not mounted, or shows a PID namespace that we are not in
	if err != nil {
		return nil, err
	}
	var found []process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() { // no process, or the one that this function runs in
			continue
		}
		arguments, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err != nil { // it has ended since
			continue
		}
		command := strings.TrimSpace(strings.Map(printable, string(arguments)))
		found = append(found, process{pid, cmp.Or(command, "-")}) // a zombie has no arguments
	}
	slices.SortFunc(found, func(a, b process) int { return cmp.Compare(a.PID, b.PID) })
	return found, nil
})

// printable returns r or a space: a process may call itself anything, also what would take over the reader's terminal.
func printable(r rune) rune {
	if strconv.IsPrint(r) {
		return r
	}
	return ' '
}

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	flag.Parse()
	if err := processes(context.Background(), *ref); err != nil {
		fmt.Fprintln(os.Stderr, "processes:", err)
		os.Exit(1)
	}
}

func processes(ctx context.Context, ref string) error {
	inside, done, err := target.Open(ctx, ref, ns.User|ns.PID|ns.Mount)
	if err != nil {
		return err
	}
	defer done()
	found, err := list.Call(ctx, reexec.In(inside), struct{}{})
	for _, p := range found {
		fmt.Printf("%7d  %s\n", p.PID, p.Command)
	}
	return err
}
