// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/airlock-ns/airlock/internal/fixture"
)

const enterPackage = "github.com/airlock-ns/airlock/cmd/airlock"

// prepareEnter is a program that runs in a container and ends: "airlock enter" beside the peer's command.
func prepareEnter(program string, arguments func(box *fixture.Container) []string) func(*fixture.Container) (*work, error) {
	return func(box *fixture.Container) (*work, error) {
		if exec.Command("go", "list", enterPackage).Run() != nil {
			return &work{absent: "there is no cmd/airlock to measure"}, nil
		}
		dir, err := os.MkdirTemp("", "airlock-enter-")
		if err != nil {
			return nil, err
		}
		w := &work{close: func() error { return os.RemoveAll(dir) }}
		airlock := filepath.Join(dir, "airlock")
		if w.note, err = buildAirlock(airlock); err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.ours = func() error {
			return exec.Command(airlock, "enter", "-t", strconv.Itoa(box.PID), "-a", "/bin/true").Run()
		}
		if path, err := exec.LookPath(program); err != nil {
			w.absent = program + " is missing"
		} else {
			w.peer = func() error { return exec.Command(path, arguments(box)...).Run() }
		}
		return w, nil
	}
}

// buildAirlock builds it as make airlock does: static with musl where that is installed.
func buildAirlock(path string) (note string, err error) {
	build := exec.Command("go", "build", "-trimpath", "-o", path)
	if _, err := exec.LookPath("musl-gcc"); err == nil {
		build.Env = append(os.Environ(), "CC=musl-gcc", "CGO_ENABLED=1")
		build.Args = append(build.Args, "-tags", "osusergo,netgo", "-ldflags", "-linkmode external -extldflags -static")
	} else {
		note = "dynamic: musl-gcc is missing"
	}
	build.Args = append(build.Args, enterPackage)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", build, err, out)
	}
	return note, nil
}

func utilLinuxNsenter(box *fixture.Container) []string {
	return []string{"-t", strconv.Itoa(box.PID), "-a", "/bin/true"}
}

// busyboxNsenter names the namespaces that -a means for this container: busybox has no -a.
func busyboxNsenter(box *fixture.Container) []string {
	return []string{"nsenter", "-t", strconv.Itoa(box.PID), "-m", "-u", "-i", "-n", "-p", "/bin/true"}
}

func runcExec(box *fixture.Container) []string {
	return []string{"--root", box.Root, "exec", box.ID, "/bin/true"}
}
