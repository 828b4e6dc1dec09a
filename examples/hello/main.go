// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Hello calls a typed Go function inside the namespaces of another process, and prints what it saw there as JSON.
// Without -target it makes a process to enter, in namespaces of its own; for that nobody needs to be root.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// sight is what look sees. It travels as JSON.
type sight struct {
	Hostname   string   `json:"hostname"`
	PID        int      `json:"pid"`
	File       string   `json:"file"`
	Interfaces []string `json:"interfaces"`
	Took       string   `json:"took"`
}

// look is the function to be called inside. Whatever it asks for — files, processes, network — it gets the target's.
var look = reexec.Register("look", func(_ context.Context, path string) (sight, error) {
	s := sight{PID: os.Getpid()}
	var err error
	if s.Hostname, err = os.Hostname(); err != nil {
		return s, err
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	s.File = string(file)
	interfaces, err := net.Interfaces()
	for _, i := range interfaces {
		s.Interfaces = append(s.Interfaces, i.Name)
	}
	return s, err
})

func main() {
	reexec.Init() // in the copy of this program that look runs in, this call does not return
	ref := flag.String("target", "", target.Usage)
	path := flag.String("file", "/tmp/hello", "file to read inside")
	flag.Parse()
	if err := hello(context.Background(), *ref, *path); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func hello(ctx context.Context, ref, path string) error {
	inside, done, err := target.Open(ctx, ref, ns.All) // launcher.PID, and something to enter if there is nothing
	if err != nil {
		return err
	}
	defer done()
	start := time.Now()
	s, err := look.Call(ctx, reexec.In(inside), path) // nil in place of reexec.In(inside) would call it in a copy out here
	if err != nil {
		return err
	}
	s.Took = time.Since(start).String()
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(s)
}
