// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"os/exec"
	"strings"
)

// role is what this process was started as, see roleVariable.
func role() (name, argument string) {
	name, argument, _ = strings.Cut(os.Getenv(roleVariable), " ")
	os.Unsetenv(roleVariable)
	return name, argument
}

// inRole is a copy of the test binary in a role, not started.
func inRole(name, argument string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"airlock-" + name}
	cmd.Env = append(os.Environ(), roleVariable+"="+name+" "+argument, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}
