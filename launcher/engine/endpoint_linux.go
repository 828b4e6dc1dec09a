// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/airlock-ns/airlock/launcher/container"
)

// Timeout is how long one engine may take to answer. The others are asked nevertheless.
const Timeout = 5 * time.Second

// asker is an engine that listens.
type asker interface {
	// find returns the container that a name means. The error is container.ErrNotFound, a *container.AmbiguousError, or any other that
	// says why there is no answer.
	find(ctx context.Context, name string) (candidate, error)

	// list returns the containers that have a process, perhaps with others.
	list(ctx context.Context) ([]candidate, error)

	close() error
}

// endpoint is where an engine may be asked.
type endpoint struct {
	engine, address string
	open            func(engine, address string) (asker, error)
}

// endpoints returns those of one engine, or for "" of all of them, in the order in which they are asked: podman(1) comes last, and only
// if no socket of Podman's has answered, for it takes longer than all others. Engines that must not be asked are returned as
// Attempts that have failed already.
func endpoints(engine string) (all []endpoint, refused []*Attempt) {
	openers := map[string]func(engine, address string) (asker, error){
		"docker": openDocker, "podman": openDocker, "cri": openCRI, "containerd": openContainerd,
	}
	for _, name := range schemes {
		if engine != "" && engine != name {
			continue
		}
		paths, err := sockets(name)
		if err != nil {
			refused = append(refused, &Attempt{name, variables[name], err})
		}
		for _, path := range paths {
			all = append(all, endpoint{name, path, openers[name]})
		}
	}
	if (engine == "" || engine == "podman") && os.Getenv(variables["podman"]) == "" {
		if _, err := exec.LookPath("podman"); err == nil {
			all = append(all, endpoint{"podman", podmanProgram, openPodman})
		}
	}
	return all, refused
}

// ask opens the endpoint, asks one question within the Timeout, and closes it. The error is an *Attempt.
func ask[T any](ctx context.Context, e endpoint, question func(context.Context, asker) (T, error)) (answer T, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	answer, err = func() (none T, err error) {
		if !e.program() {
			if err := knock(ctx, e.address); err != nil {
				return none, err
			}
		}
		a, err := e.open(e.engine, e.address)
		if err != nil {
			return none, err
		}
		defer a.close()
		return question(ctx, a)
	}()
	if err == nil {
		return answer, nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		err = fmt.Errorf("%w: %w", ended, err)
	}
	return answer, &Attempt{e.engine, e.address, err}
}

// program reports whether podman(1) is asked.
func (e endpoint) program() bool { return e.address == podmanProgram }

// answered reports whether an engine was there and had something to say.
func answered(err error) bool {
	ambiguous, stopped := (*container.AmbiguousError)(nil), (*NotRunningError)(nil)
	return err == nil || errors.Is(err, container.ErrNotFound) || errors.As(err, &ambiguous) || errors.As(err, &stopped)
}
