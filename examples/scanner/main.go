// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Scanner looks into every container of the host, or into those named, whatever their engine, and prints a line of JSON for each. In the
// next round it finds its workers where it has left them: in the containers.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/airlock-ns/airlock/examples/internal/scan"
	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func main() {
	reexec.Init()
	ref := flag.String("target", "", "`pid` or container id to look into, or \"little\", a container that is made; empty: all containers")
	rounds := flag.Int("rounds", 1, "look so many times; 0: until interrupted")
	every := flag.Duration("every", time.Second, "wait so long between two rounds")
	timeout := flag.Duration("timeout", 5*time.Second, "give up a container after that")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	scanner := scan.Scanner{Parallel: 2 * runtime.NumCPU(), Timeout: *timeout}
	scanner.Pool.MaxIdle = 1000           // so many containers may have a worker that waits; 64 is the default
	scanner.Pool.IdleTimeout = 3 * *every // a container that is no longer listed is rid of its worker after that; 0: a minute
	err := repeat(ctx, &scanner, *ref, flag.Args(), *rounds, *every)
	scanner.Pool.Close() // ends the workers
	if err != nil {
		fmt.Fprintln(os.Stderr, "scanner:", err)
		os.Exit(1)
	}
}

func repeat(ctx context.Context, scanner *scan.Scanner, ref string, names []string, rounds int, every time.Duration) error {
	places := func() ([]scan.Place, error) { return scan.Containers(ctx, names...) }
	if ref != "" {
		one, done, err := only(ctx, ref)
		if err != nil {
			return err
		}
		defer done()
		places = func() ([]scan.Place, error) { return []scan.Place{one}, nil }
	}
	out := json.NewEncoder(os.Stdout)
	for n := 1; ; n++ {
		list, err := places()
		scanner.Scan(ctx, list, func(r scan.Row) { out.Encode(r) })
		if n == rounds {
			return err
		}
		if err != nil { // of one engine; it may answer in the next round
			fmt.Fprintln(os.Stderr, "scanner:", err)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return nil
		}
	}
}

// only is a single place, for those who have no engine to ask.
func only(ctx context.Context, ref string) (scan.Place, func(), error) {
	inside, done, err := target.Open(ctx, strings.TrimPrefix(ref, "little"), ns.All) // which makes one for ""
	return scan.Place{Info: container.Info{ID: ref, Name: ref}, Starter: inside}, done, err
}
