// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"syscall"

	"github.com/airlock-ns/airlock/launcher/container"
)

// List returns the containers that run, paused ones among them, of all engines that can be asked. A container that two engines
// have, as Docker's are containerd's too, is that of the first of docker, podman, cri and containerd. The engines are asked at
// the same time, each for no longer than Timeout. Their PIDs are what the engines say: see package launcher/container.
//
// Engines that are not there, or that the caller may not ask, are left out. The error is an *Error, of those that have failed
// otherwise; what the others have answered is returned with it.
func List(ctx context.Context) ([]container.Info, error) {
	all, _ := endpoints("")
	answers, failures := make([][]candidate, len(all)), make([]error, len(all))
	var wait sync.WaitGroup
	for i, e := range all {
		if !e.program() {
			wait.Go(func() { answers[i], failures[i] = enumerate(ctx, e) })
		}
	}
	wait.Wait()
	for i, e := range all {
		if e.program() && !served(e.engine, all[:i], failures) {
			answers[i], failures[i] = enumerate(ctx, e)
		}
	}
	return merge(answers), failed(failures)
}

func enumerate(ctx context.Context, e endpoint) ([]candidate, error) {
	return ask(ctx, e, func(ctx context.Context, a asker) ([]candidate, error) { return a.list(ctx) })
}

// served reports whether the engine has answered at a socket.
func served(engine string, asked []endpoint, failures []error) bool {
	for i, e := range asked {
		if e.engine == engine && failures[i] == nil {
			return true
		}
	}
	return false
}

// merge puts the answers together, in their order, each container that has a process once.
func merge(answers [][]candidate) (list []container.Info) {
	seen := map[string]bool{}
	for _, answer := range answers {
		for _, c := range answer {
			key := c.ID // those that engines make up are unique
			if len(key) < 64 {
				key = c.Engine + "/" + c.Namespace + "/" + c.ID
			}
			if c.present() && !seen[key] {
				seen[key] = true
				list = append(list, c.Info)
			}
		}
	}
	return list
}

// failed is the error of the engines that should have answered.
func failed(failures []error) error {
	var errs []error
	for _, err := range failures {
		absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) ||
			errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, errors.ErrUnsupported)
		if err != nil && !absent {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &Error{Op: "list", Ref: "containers", Err: errors.Join(errs...)}
}
