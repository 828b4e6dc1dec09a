// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"

	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

func main() {
	reexec.Init()
	gonsreexec.CheckAction()
	asJSON := flag.Bool("json", false, "print one JSON object a row")
	match := flag.String("run", "", "measure only rows whose name matches this `regexp`")
	n := flag.Int("n", 400, "take this many samples a side")
	flag.Parse()
	if err := run(*asJSON, *match, *n); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(asJSON bool, match string, n int) (err error) {
	wanted, err := regexp.Compile(match)
	if err != nil {
		return err
	}
	if n < 1 {
		return fmt.Errorf("-n %d: at least 1", n)
	}
	if err := fixture.Runc.Unmet(); err != nil {
		return fmt.Errorf("needs a runc container to enter: %w", err)
	}
	box, err := fixture.StartRunc(fixture.ContainerSpec{Files: map[string]string{plantedFile: "seed"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()

	print := printTable
	if asJSON {
		print = printJSON
	}
	for _, r := range rows {
		if !wanted.MatchString(r.name) {
			continue
		}
		result, err := r.measure(box, n)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if err := print(result); err != nil {
			return err
		}
	}
	return nil
}
