// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// prepareEngine is a program that runs in a container by its name: airlock, which asks Docker for the process, beside "docker exec".
func prepareEngine(*fixture.Container) (_ *work, err error) {
	if err := fixture.Docker.Unmet(); err != nil {
		return &work{absent: "no docker: " + firstLine(err)}, nil
	}
	dir, err := os.MkdirTemp("", "airlock-engine-")
	if err != nil {
		return nil, err
	}
	w := &work{most: 100, close: func() error { return os.RemoveAll(dir) }}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	airlock := filepath.Join(dir, "airlock")
	if w.note, err = buildAirlock(airlock); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-trimpath", "-o", airlock+"-engine", enterPackage+"-engine")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", build, err, out)
	}
	web, err := fixture.StartDocker(fixture.ContainerSpec{})
	if err != nil {
		return nil, err
	}
	w.close = func() error { return errors.Join(web.Close(), os.RemoveAll(dir)) }
	w.ours = func() error { return exec.Command(airlock, "enter", "docker://"+web.ID, "/bin/true").Run() }
	w.peer = func() error { return exec.Command("docker", "exec", web.ID, "/bin/true").Run() }
	return w, nil
}
