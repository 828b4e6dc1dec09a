// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"

	"github.com/airlock-ns/airlock/launcher/container"
)

// nerdctlName is the label in which nerdctl(1) keeps a container's name.
const nerdctlName = "nerdctl/name"

type containerd struct{ client *client.Client }

func openContainerd(_, address string) (asker, error) {
	c, err := client.New(address)
	if err != nil {
		return nil, err
	}
	return &containerd{c}, nil
}

func (c *containerd) close() error { return c.client.Close() }

func (c *containerd) find(ctx context.Context, name string) (candidate, error) {
	namespace, name, ok := strings.Cut(name, "/")
	if !ok {
		namespace, name = "", namespace
	}
	all, err := c.all(ctx, namespace, `id~=`+strconv.Quote("^"+regexp.QuoteMeta(name)), `labels."`+nerdctlName+`"==`+name)
	if err != nil {
		return candidate{}, err
	}
	return match(name, all)
}

func (c *containerd) list(ctx context.Context) ([]candidate, error) { return c.all(ctx, "") }

// all gives the containers of a namespace, or for "" of all, that one of the filters lets through.
func (c *containerd) all(ctx context.Context, namespace string, filters ...string) (list []candidate, err error) {
	spaces := []string{namespace}
	if namespace == "" {
		if spaces, err = c.client.NamespaceService().List(ctx); err != nil {
			return nil, err
		}
	}
	for _, space := range spaces {
		ctx := namespaces.WithNamespace(ctx, space)
		stored, err := c.client.ContainerService().List(ctx, filters...)
		if err != nil {
			return nil, err
		}
		for _, s := range stored {
			one := candidate{Info: container.Info{Engine: "containerd", Namespace: space, ID: s.ID, Name: s.ID}}
			if name := s.Labels[nerdctlName]; name != "" {
				one.Name, one.aliases = name, []string{name}
			}
			if one.PID, one.state, err = c.process(ctx, s.ID); err != nil {
				return nil, err
			}
			list = append(list, one)
		}
	}
	return list, nil
}

// process returns the first process of a container, if it has any, and its state.
func (c *containerd) process(ctx context.Context, id string) (pid int, state string, err error) {
	r, err := c.client.TaskService().Get(ctx, &tasks.GetRequest{ContainerID: id})
	if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
		return 0, "created", nil
	}
	if err != nil {
		return 0, "", err
	}
	state = strings.ToLower(task.Status_name[int32(r.GetProcess().GetStatus())])
	return int(r.GetProcess().GetPid()), state, nil
}
