// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Stream walks the file tree of a container and lists it as it goes, however large it is, and stops when it has seen enough.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

type entry struct {
	Path []byte // names of files are bytes, and a string of JSON must be UTF-8
	Mode fs.FileMode
	Size int64
}

// walk gives one entry after the other. What it yields is on its way at once, and nothing is kept.
var walk = reexec.RegisterStream("walk", func(_ context.Context, dir string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if d == nil {
				return err // there is no such directory
			}
			info, gone := d.Info()
			if err := errors.Join(err, gone); err != nil { // no reason to stop: it may not be read, or is there no more
				slog.Warn("left out", "err", err)
				return nil
			}
			if !yield(entry{[]byte(path), info.Mode(), info.Size()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(entry{}, err) // the last thing that a stream gives
		}
	}
})

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	n := flag.Int("n", 0, "stop after `n` entries; 0: never")
	flag.Parse()
	if err := stream(context.Background(), *ref, filepath.Join("/", flag.Arg(0)), *n); err != nil {
		fmt.Fprintln(os.Stderr, "stream:", err)
		os.Exit(1)
	}
}

func stream(ctx context.Context, ref, dir string, n int) error {
	inside, done, err := target.Open(ctx, ref, ns.User|ns.Mount)
	if err != nil {
		return err
	}
	defer done()
	for e, err := range walk.Call(ctx, reexec.In(inside), dir) {
		if err != nil {
			return err
		}
		fmt.Printf("%v %9d  %q\n", e.Mode, e.Size, e.Path)
		if n--; n == 0 {
			break // ends the walk, and the process
		}
	}
	return nil
}
