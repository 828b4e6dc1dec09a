// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A program that was built with -cover writes its counters into the directory of GOCOVERDIR. That is a path of the caller's, and
// means something else, or nothing, in the mount namespace that a Starter takes a worker to. So the worker gets the directory as
// a descriptor, and the variable leads to it. Without the variable there is no such descriptor: no directory of the host gets into an
// ordinary worker.
const (
	coverVariable = "GOCOVERDIR"
	coverPath     = "/proc/self/fd/"
)

// passCoverDir adds the directory to the command. It returns what is to be closed after the start.
func passCoverDir(cmd *exec.Cmd) *os.File {
	for i := len(cmd.Env) - 1; i >= 0; i-- {
		name, set := strings.CutPrefix(cmd.Env[i], coverVariable+"=")
		if !set {
			continue
		}
		dir, err := os.Open(name)
		if err != nil {
			return nil // the worker says so itself
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, dir)
		cmd.Env = append(cmd.Env, coverVariable+"="+coverPath+strconv.Itoa(2+len(cmd.ExtraFiles)))
		return dir
	}
	return nil
}

// coverDir is the directory in a worker.
type coverDir struct {
	fd   int // -1: there is none
	back int // the working directory, where the variable's path does not lead to fd; else -1
}

// takeCoverDir finds what passCoverDir has passed. The runtime reads the variable when main is initialised and, in a test binary, at the
// exit; with a -cover that is no test's it opens a first file at once. Where there is no procfs to lead to the descriptor, the
// directory is the working directory meanwhile, until leave.
func takeCoverDir() coverDir {
	c := coverDir{-1, -1}
	number, passed := strings.CutPrefix(os.Getenv(coverVariable), coverPath)
	fd, err := strconv.Atoi(number)
	if !passed || err != nil {
		return c
	}
	c.fd = fd
	var there, dir unix.Stat_t
	if unix.Fstat(fd, &dir) != nil || dir.Mode&unix.S_IFMT != unix.S_IFDIR {
		return coverDir{-1, -1}
	}
	if unix.Stat(coverPath+number, &there) == nil && there.Dev == dir.Dev && there.Ino == dir.Ino {
		return c
	}
	if c.back, err = unix.Open(".", unix.O_PATH|unix.O_CLOEXEC, 0); err == nil {
		c.enter()
	}
	return c
}

// enter makes the directory the working directory, if that is how to get there.
func (c coverDir) enter() {
	if c.back >= 0 && unix.Fchdir(c.fd) == nil {
		os.Setenv(coverVariable, ".")
	}
}

// leave undoes enter, for the time in which functions run.
func (c coverDir) leave() {
	if c.back >= 0 && unix.Fchdir(c.back) == nil {
		os.Unsetenv(coverVariable)
	}
}
