// SPDX-License-Identifier: Apache-2.0

//go:build linux

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/launcher/engine"
	"github.com/airlock-ns/airlock/ns"
)

// A Target by name is like any other; this one is our own process, with nothing to enter.
func ExampleResolve() {
	self, err := engine.Resolve(context.Background(), "pid://"+strconv.Itoa(os.Getpid()), ns.All)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer self.Close()
	fmt.Println("namespaces to enter:", self.Types().Len())
	// Output: namespaces to enter: 0
}

// The errors say what to do.
func ExampleFind() {
	defer os.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
	os.Setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
	_, err := engine.Find(context.Background(), "docker://web")

	var remote *engine.RemoteError
	var stopped *engine.NotRunningError
	var ambiguous *container.AmbiguousError
	switch {
	case errors.As(err, &ambiguous):
		fmt.Println("one of", ambiguous.Candidates)
	case errors.As(err, &stopped):
		fmt.Println("start it:", stopped.Container)
	case errors.As(err, &remote):
		fmt.Println("not from here:", remote.Value)
	}
	// Output: not from here: tcp://192.0.2.1:2375
}

// All containers of all engines; the error is of those that have failed, and the list is of the others.
func ExampleList() {
	all, err := engine.List(context.Background())
	for _, info := range all {
		_ = fmt.Sprint(info, info.PID)
	}
	fmt.Println(err)
	// Output: <nil>
}
