// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/airlock-ns/airlock/launcher/container"
)

// docker is Docker, or Podman, which has the same interface beside its own.
type docker struct {
	engine string
	client *client.Client
}

func openDocker(engine, address string) (asker, error) {
	c, err := client.New(client.WithHost("unix://" + address))
	if err != nil {
		return nil, err
	}
	return &docker{engine, c}, nil
}

func (d *docker) close() error { return d.client.Close() }

func (d *docker) find(ctx context.Context, name string) (candidate, error) {
	return inspectOrSearch(ctx, d, name)
}

// inspect gives a container by the rules of the engine, which are those of match.
func (d *docker) inspect(ctx context.Context, name string) (candidate, error) {
	r, err := d.client.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return candidate{}, container.ErrNotFound
	}
	if err != nil {
		return candidate{}, err
	}
	if r.Container.State == nil {
		return candidate{}, errors.New("the answer has no state")
	}
	c := d.candidate(r.Container.ID, []string{r.Container.Name}, string(r.Container.State.Status))
	c.PID = r.Container.State.Pid
	return c, nil
}

// all gives the containers without their pids.
func (d *docker) all(ctx context.Context, stopped bool) (list []candidate, err error) {
	r, err := d.client.ContainerList(ctx, client.ContainerListOptions{All: stopped})
	for _, c := range r.Items {
		list = append(list, d.candidate(c.ID, c.Names, string(c.State)))
	}
	return list, err
}

// candidate cleans up names: they have a slash before them, and those in which another follows are links of other containers.
func (d *docker) candidate(id string, names []string, state string) candidate {
	c := candidate{Info: container.Info{Engine: d.engine, ID: id, Name: id}, state: state}
	for _, name := range names {
		name = strings.TrimPrefix(name, "/")
		if name != "" && !strings.Contains(name, "/") {
			c.Name, c.aliases = name, append(c.aliases, name)
		}
	}
	return c
}

func (d *docker) list(ctx context.Context) (list []candidate, err error) {
	all, err := d.all(ctx, false)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		c, err := d.inspect(ctx, c.ID)
		if errors.Is(err, container.ErrNotFound) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// inspector is an engine that finds a container by its name itself, and does not say in a form of its own that the name is ambiguous.
type inspector interface {
	inspect(ctx context.Context, name string) (candidate, error)
	all(ctx context.Context, stopped bool) ([]candidate, error)
}

// inspectOrSearch asks for the container, and where that fails for the candidates: Docker says that there are several with the status
// of an error of its own, and Podman with that for none.
func inspectOrSearch(ctx context.Context, i inspector, name string) (candidate, error) {
	if strings.Contains(name, "/") {
		return candidate{}, container.ErrNotFound
	}
	c, err := i.inspect(ctx, name)
	if err == nil {
		return c, nil
	}
	all, failed := i.all(ctx, true)
	if failed != nil {
		return candidate{}, err
	}
	if _, failed := match(name, all); failed != nil {
		return candidate{}, failed
	}
	return candidate{}, err // there is exactly one, so it was not for the name that the engine failed
}
