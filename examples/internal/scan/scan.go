// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Package scan looks into all containers of the host, whatever their engine, with a worker in each that is kept warm. Two tutorials
// share it: scanner prints what it finds, kubernetes serves it.
package scan

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/launcher/engine"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// Row is one container, as its engine has it and as it looks from inside, or why nobody could look.
type Row struct {
	container.Info
	Sight
	Took  string `json:"took"`
	Error string `json:"error,omitempty"`
}

// Place is somewhere to look into.
type Place struct {
	container.Info
	reexec.Starter
}

// Containers gives those of all engines of the host, or those with one of the names. With an error it gives those of the engines that
// have answered.
func Containers(ctx context.Context, names ...string) (places []Place, err error) {
	list, err := engine.List(ctx)
	for _, info := range list {
		if len(names) == 0 || slices.Contains(names, info.Name) {
			places = append(places, Place{info, door{ctx, info}})
		}
	}
	return places, err
}

// door is a Starter that asks the engine for the way in when a worker is to be started, and so not on a warm call.
type door struct {
	ctx context.Context
	container.Info
}

// Start starts a copy of this program inside. Resolve makes sure that what is entered is the container, also if that has ended since
// it was listed, and its pid has gone to another process.
func (d door) Start(cmd *exec.Cmd) error {
	target, err := engine.Resolve(d.ctx, d.String(), ns.All)
	if err != nil {
		return err
	}
	defer target.Close()
	return target.Start(cmd)
}

// Scanner looks into places. Set the fields before the first scan, and close it after the last.
type Scanner struct {
	Parallel int           // how many places are looked into at a time
	Timeout  time.Duration // how long one place may take, the start of a worker included
	Pool     reexec.Pool
}

// Scan looks into all places, and calls each with what it has found, one call at a time, as soon as it is there. A place that cannot
// be entered, or that does not let the worker get on, is one row with an error.
func (s *Scanner) Scan(ctx context.Context, places []Place, each func(Row)) {
	var wait sync.WaitGroup
	var one sync.Mutex
	turns := make(chan struct{}, s.Parallel)
	for _, p := range places {
		turns <- struct{}{}
		wait.Go(func() {
			row := s.look(ctx, p)
			<-turns
			one.Lock()
			defer one.Unlock()
			each(row)
		})
	}
	wait.Wait()
}

func (s *Scanner) look(ctx context.Context, p Place) Row {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, fmt.Errorf("no answer in %v", s.Timeout))
	defer cancel()
	start := time.Now()
	// The key is all that the engine says of the container. It has the pid: one that is started again, with the same id, gets a new
	// worker, and the old one has ended with the old container.
	sight, err := look.Call(ctx, s.Pool.On(p.Info, p.Starter), struct{}{})
	row := Row{Info: p.Info, Sight: sight, Took: time.Since(start).Round(time.Microsecond).String()}
	if err != nil {
		row.Error = err.Error()
	}
	return row
}
