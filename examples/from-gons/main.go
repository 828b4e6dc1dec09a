// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

// From-gons is a small tool twice: written with github.com/thediveo/gons, and with airlock. It prints what each finds, and the
// median of the times that it took.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	gons "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/reexec"
)

func main() {
	reexec.Init()
	gons.CheckAction() // each of the two leaves the other's copies alone: they know theirs by variables of their own
	ref := flag.String("target", "", target.Usage)
	path := flag.String("file", "/etc/hostname", "file to read inside")
	n := flag.Int("n", 25, "do it so many times")
	flag.Parse()
	if err := compare(context.Background(), *ref, *path, *n); err != nil {
		fmt.Fprintln(os.Stderr, "from-gons:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, ref, path string, n int) error {
	pid, done, err := target.PID(ctx, ref)
	if err != nil {
		return err
	}
	defer done()
	var pool reexec.Pool
	defer pool.Close()
	names := []string{"gons", "airlock", "airlock, warm"}
	found, took := [3]sight{}, [3][]time.Duration{}
	for range n { // in turn, so that whatever else this machine does meets all three
		for i, look := range []func() (sight, error){
			func() (sight, error) { return lookByGons(pid, path) },
			func() (sight, error) { return lookByAirlock(ctx, pid, path) },
			func() (sight, error) { return lookWarm(ctx, &pool, pid, path) },
		} {
			start := time.Now()
			if found[i], err = look(); err != nil {
				return fmt.Errorf("%s: %w", names[i], err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	for i, name := range names {
		slices.Sort(took[i])
		fmt.Printf("%-13s  %+v in %v\n", name, found[i], took[i][n/2].Round(time.Microsecond))
	}
	return nil
}
