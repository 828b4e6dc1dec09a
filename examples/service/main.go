// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Service keeps a worker inside a container that answers again and again, and shows what becomes of it: a request that takes too long,
// one that panics, and a worker that is killed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	flag.Parse()
	if err := serve(context.Background(), os.Stdout, *ref); err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, out io.Writer, ref string) error {
	inside, done, err := target.Open(ctx, ref, ns.All&^ns.PID) // so that a worker has the same pid inside and out here
	if err != nil {
		return err
	}
	defer done()
	pool := reexec.Pool{MaxWorkers: 1, IdleTimeout: -1} // one worker, which may wait for ever
	defer pool.Close()
	worker := pool.On("the container", inside)

	ask := func(what string, patience time.Duration) (a answer, err error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if a, err = work.Call(ctx, worker, what); err != nil {
			fmt.Fprintf(out, "%s: %v\n", what, err)
		} else {
			fmt.Fprintf(out, "%s: call %d of the worker %d at %s\n", what, a.Calls, a.PID, a.Host)
		}
		return a, err
	}
	ask("health", time.Minute)
	ask("health", time.Minute)
	ask("hang", time.Second/10)
	ask("health", time.Minute)
	ask("panic", time.Minute)
	a, err := ask("health", time.Minute)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "kill", a.PID)
	if err := syscall.Kill(a.PID, syscall.SIGKILL); err != nil {
		return err
	}
	for pool.Stats().Workers > 0 { // the pool notices by itself
		time.Sleep(time.Millisecond)
	}
	_, err = ask("health", time.Minute)
	fmt.Fprintf(out, "%+v\n", pool.Stats())
	return err
}
