// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"os"
	"time"

	"github.com/airlock-ns/airlock/reexec"
)

type answer struct {
	Host       string
	PID, Calls int
}

// calls is in the worker's own memory: it counts for as long as one lives.
var calls int

// work is what runs in the container.
var work = reexec.Register("work", func(_ context.Context, what string) (answer, error) {
	calls++
	switch what {
	case "hang":
		time.Sleep(time.Hour) // without a look at the context, as a bug would
	case "panic":
		panic("a bug")
	}
	host, err := os.Hostname()
	return answer{host, os.Getpid(), calls}, err
})
