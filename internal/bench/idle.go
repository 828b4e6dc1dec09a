// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// prepareIdle is the start and end of a program that links cnsenter and has no plan, beside the same program
// that has an empty import "C" instead. See idle/.
func prepareIdle(*fixture.Container) (*work, error) {
	dir, err := os.MkdirTemp("", "airlock-idle-")
	if err != nil {
		return nil, err
	}
	w := &work{close: func() error { return os.RemoveAll(dir) }}
	// Their paths are equally long: the program's path is in /proc/self/maps, which libc reads.
	ours, peer := filepath.Join(dir, "a", "idle"), filepath.Join(dir, "b", "idle")
	for path, pkg := range map[string]string{ours: "airlock", peer: "empty"} {
		build := exec.Command("go", "build", "-o", path, "github.com/airlock-ns/airlock/internal/bench/idle/"+pkg)
		if out, err := build.CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w: %s", build, err, out), w.close())
		}
	}
	w.ours = func() error { return exec.Command(ours).Run() }
	w.peer = func() error { return exec.Command(peer).Run() }
	w.note = compareStarts(dir, ours, peer)
	return w, nil
}

// compareStarts says how many more system calls our main thread makes before the Go runtime's first.
func compareStarts(dir, ours, peer string) string {
	a, err := callsBeforeRuntime(dir, ours)
	if err != nil {
		return err.Error()
	}
	b, err := callsBeforeRuntime(dir, peer)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("system calls before the runtime's first: %d, peer %d: %+d", a, b, a-b)
}

// runtimesFirst begins the Go runtime's first system call: it asks for its processors with a mask of 8 KiB,
// as no libc does.
const runtimesFirst = "sched_getaffinity(0, 8192,"

func callsBeforeRuntime(dir, program string) (int, error) {
	trace := filepath.Join(dir, "trace")
	if _, err := exec.LookPath("strace"); err != nil {
		return 0, errors.New("system calls not counted: strace is missing")
	}
	// Without --follow-forks strace traces the main thread only.
	if out, err := exec.Command("strace", "--output", trace, program).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("strace: %w: %s", err, out)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		return 0, err
	}
	before, _, found := strings.Cut(string(data), runtimesFirst)
	if !found {
		return 0, errors.New("system calls not counted: the runtime's first is not in the trace")
	}
	return strings.Count(before, "\n"), nil
}
