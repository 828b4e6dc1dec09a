// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reference is what a caller's text asks for.
type reference struct {
	scheme string // an engine, "pid", or "" for all engines
	name   string
}

// schemes in the order in which the engines are asked.
var schemes = []string{"docker", "podman", "cri", "containerd"}

// valid is what engines allow in names and ids, with "/" between parts. Anything else must not get into the path of a request.
var valid = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*(/[a-zA-Z0-9][a-zA-Z0-9_.-]*){0,2}$`)

// parse returns what the text asks for.
func parse(text string) (reference, error) {
	scheme, name, ok := strings.Cut(text, "://")
	if !ok {
		scheme, name = "", text
	}
	r := reference{scheme, name}
	switch {
	case ok && scheme != "pid" && !slices.Contains(schemes, scheme):
		return r, fmt.Errorf("no engine %q: there are %s, and pid", scheme, strings.Join(schemes, ", "))
	case name == "":
		return r, errors.New("a reference without a name")
	case !valid.MatchString(name):
		return r, fmt.Errorf("%q is no name of a container", name)
	case scheme == "docker" || scheme == "podman":
		if strings.Contains(name, "/") {
			return r, fmt.Errorf("%q is no name of a container: %s has no namespaces", name, scheme)
		}
	}
	return r, nil
}

// pid returns the number of a reference to a process.
func (r reference) pid() (int, error) {
	pid, err := strconv.Atoi(r.name)
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%q is no pid", r.name)
	}
	return pid, nil
}

// id is the part of the name that a cgroup may have.
func (r reference) id() string { return r.name[strings.LastIndexByte(r.name, '/')+1:] }
