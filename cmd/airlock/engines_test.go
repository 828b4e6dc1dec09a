// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/fixture/pod"
	"github.com/rogpeppe/go-internal/testscript"
)

// engineVariables say where engines are; a script gets those that the tests have been given.
var engineVariables = []string{
	"DOCKER_HOST", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "CONTAINER_RUNTIME_ENDPOINT", "XDG_RUNTIME_DIR", "HOME", "TMPDIR",
}

// building is held by the one who builds airlock-engine, for all scripts.
var building sync.Mutex

// engine builds airlock-engine, puts it into $PATH, and sets $engine to its directory.
func (s *stage) engine(ts *testscript.TestScript, args []string) {
	fixture.Need(s.t, fixture.Program("go"))
	for _, name := range engineVariables {
		if value, ok := os.LookupEnv(name); ok {
			ts.Setenv(name, value)
		}
	}
	path := ts.Getenv("PATH")
	bin, _, _ := strings.Cut(path, ":")
	dir := filepath.Join(bin, "engine")
	building.Lock()
	defer building.Unlock()
	if _, err := os.Stat(dir); err != nil {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, engineProgram), "../"+engineProgram)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := build.CombinedOutput()
		if err != nil {
			ts.Fatalf("%s: %v: %s", build, err, out)
		}
	}
	ts.Setenv("PATH", path+":"+dir)
	ts.Setenv("engine", dir)
}

// named starts a container by an engine; what it is called by the engine, its id, the start of it and its pid are
// $NAME, $NAME_id, $NAME_short and $NAME_pid.
func (s *stage) named(ts *testscript.TestScript, args []string) {
	name, kind := args[0], args[1]
	var c *fixture.Container
	var id string
	switch kind {
	case "docker":
		c = fixture.DockerContainer(s.t, fixture.ContainerSpec{})
	case "podman":
		c = fixture.PodmanContainer(s.t, fixture.ContainerSpec{})
	case "runc":
		c = fixture.RuncContainer(s.t, fixture.ContainerSpec{})
		id = c.ID
	case "containerd":
		c = s.containerd(ts).Container(s.t, "default", name, fixture.ContainerSpec{})
		id = c.ID
	case "cri":
		c = &fixture.Container{ID: name + "/main"}
		id, c.PID = pod.New(s.t, s.containerd(ts)).Pod("default", name).Container("main", 0)
	default:
		ts.Fatalf("named: what is %q?", kind)
	}
	if kind == "docker" || kind == "podman" {
		out, err := exec.Command(kind, "inspect", "--format", "{{.Id}}", c.ID).Output()
		ts.Check(err)
		id = strings.TrimSpace(string(out))
	}
	ts.Setenv(name, c.ID)
	ts.Setenv(name+"_pid", strconv.Itoa(c.PID))
	ts.Setenv(name+"_id", id)
	ts.Setenv(name+"_short", id[:min(12, len(id))])
}

// containerd is the script's own, which its programs are told of.
func (s *stage) containerd(ts *testscript.TestScript) *fixture.ContainerdDaemon {
	if s.daemon == nil {
		s.daemon = fixture.NewContainerd(s.t)
	}
	ts.Setenv("CONTAINERD_ADDRESS", s.daemon.Address)
	ts.Setenv("CONTAINER_RUNTIME_ENDPOINT", "unix://"+s.daemon.Address)
	return s.daemon
}
