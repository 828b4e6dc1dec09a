// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/launcher/container"
)

// found is the container that the command line names, and its first process, held since its pid was known.
type found struct {
	ref, id string
	process *container.Process
}

// containerHelp is the part of the help that is about containers.
const containerHelp = `
A container is docker://NAME, podman://NAME, containerd://NAMESPACE/ID, cri://POD/CONTAINER, or NAME, for which the engines are
asked in turn. Names, ids, and the start of an id will do. With an engine it may also be the first operand, before or between
options: airlock enter docker://web -- sh. Without options for namespaces all are entered.
`

// operand makes a first operand with "://" in it the target, and sets the options that follow it. Whoever names a container and
// no namespaces asks for all. The name nsenter(1) has no such operand: there it is a program.
func (r *request) operand(tables [][]option) (err error) {
	if r.target == "" && !r.dropIn() && len(r.program) > 0 && strings.Contains(r.program[0], "://") {
		r.target = r.program[0]
		if r.program, err = parse(tables[0], r.program[1:], tables[1:]...); err != nil {
			return err
		}
	}
	if named(r.target) && r.types == 0 && len(r.files) == 0 && !r.socket.given {
		r.all = true
	}
	return nil
}

// named reports whether a target is one by name, not a pid or a pid with an inode.
func named(target string) bool {
	number, _, _ := strings.Cut(target, ":")
	_, err := strconv.Atoi(number)
	return target != "" && err != nil
}

// find makes a target by name one by its pid, and takes hold of the process.
func (r *request) find() error {
	if !named(r.target) {
		return nil
	}
	if pid, ok := strings.CutPrefix(r.target, "pid://"); ok {
		if named(pid) {
			return fmt.Errorf("%s: %q is no pid", r.target, pid)
		}
		r.target = pid
		return nil
	}
	if r.proc != "/proc" {
		return fmt.Errorf("%s: an engine knows pids of the host, and --proc may know others: give the pid", r.target)
	}
	info, err := locate(context.Background(), r.target)
	if err != nil {
		return fmt.Errorf("%s: %w", r.target, err)
	}
	p, err := container.Open(info.PID)
	if err != nil {
		return fmt.Errorf("%s: %w", r.target, err)
	}
	r.target, r.found = strconv.Itoa(info.PID), &found{r.target, info.ID, p}
	return nil
}

// check comes when all that takes the pid has been opened: if the process that is held is the container's, and lives, then all of it
// was. A target by its pid is what it is.
func (f *found) check() error {
	if f == nil {
		return nil
	}
	defer f.process.Close()
	if err := f.process.Check(f.id); err != nil {
		return fmt.Errorf("%s: %w", f.ref, err)
	}
	return nil
}
