// SPDX-License-Identifier: Apache-2.0

// Airlock-engine asks container engines for airlock, which would start four times as slowly with their clients in it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/airlock-ns/airlock/cmd/internal/release"
	"github.com/airlock-ns/airlock/launcher/engine"
)

const usage = `Usage:
  airlock-engine resolve REFERENCE
  airlock-engine list
  airlock-engine --help | --version

Asks the container engines of this host, for airlock. What is found is printed as a JSON object a line:
  {"engine":"docker","namespace":"","id":"4f1c…","name":"web","pid":4711}

resolve prints the one container that the reference means: docker://NAME, podman://NAME, containerd://NAMESPACE/ID,
cri://POD/CONTAINER, or NAME alone, for which the engines are asked in turn. Names, ids, and the start of an id will do.
list prints all containers that run.

The exit status is 1 if there is no such container, or if an engine fails.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) == 2 && args[0] == "resolve":
		err = resolve(args[1], stdout)
	case len(args) == 1 && args[0] == "list":
		err = list(stdout)
	case len(args) == 1 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help"):
		_, err = io.WriteString(stdout, usage)
	case len(args) == 1 && (args[0] == "-V" || args[0] == "--version"):
		_, err = fmt.Fprintln(stdout, "airlock-engine", release.Version())
	default:
		fmt.Fprint(stderr, usage)
		return 1
	}
	if err != nil {
		fmt.Fprintln(stderr, "airlock-engine:", strings.TrimPrefix(err.Error(), "engine: "))
		return 1
	}
	return 0
}

func resolve(ref string, stdout io.Writer) error {
	info, err := engine.Find(context.Background(), ref)
	if err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(info)
}

// list prints what there is, also if an engine fails.
func list(stdout io.Writer) error {
	all, failed := engine.List(context.Background())
	out := json.NewEncoder(stdout)
	for _, info := range all {
		if err := out.Encode(info); err != nil {
			return err
		}
	}
	return failed
}
