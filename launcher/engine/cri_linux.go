// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/airlock-ns/airlock/launcher/container"
)

// Labels that the kubelet gives to containers, by which it finds them again itself.
const (
	podName       = "io.kubernetes.pod.name"
	podNamespace  = "io.kubernetes.pod.namespace"
	containerName = "io.kubernetes.container.name"
)

// cri is a runtime of Kubernetes.
type cri struct {
	conn   *grpc.ClientConn
	client runtime.RuntimeServiceClient
}

func openCRI(_, address string) (asker, error) {
	conn, err := grpc.NewClient("unix://"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &cri{conn, runtime.NewRuntimeServiceClient(conn)}, nil
}

func (c *cri) close() error { return c.conn.Close() }

func (c *cri) find(ctx context.Context, name string) (candidate, error) {
	all, err := c.all(ctx, nil)
	if err != nil {
		return candidate{}, err
	}
	one, err := match(name, all)
	if err != nil {
		return candidate{}, err
	}
	return one, c.setPID(ctx, &one)
}

func (c *cri) list(ctx context.Context) (list []candidate, err error) {
	all, err := c.all(ctx, &runtime.ContainerFilter{
		State: &runtime.ContainerStateValue{State: runtime.ContainerState_CONTAINER_RUNNING},
	})
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		err := c.setPID(ctx, &one)
		if errors.Is(err, container.ErrNotFound) {
			continue // it has ended
		}
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

// all gives the containers without their pids. Their pods are known by the kubelet's labels, and where somebody else has made them
// by asking for the pods.
func (c *cri) all(ctx context.Context, filter *runtime.ContainerFilter) (list []candidate, err error) {
	containers, err := c.client.ListContainers(ctx, &runtime.ListContainersRequest{Filter: filter})
	if status.Code(err) == codes.Unimplemented {
		return nil, fmt.Errorf("its CRI is off: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return nil, errgrpc.ToNative(err)
	}
	pods, err := c.client.ListPodSandbox(ctx, &runtime.ListPodSandboxRequest{})
	if err != nil {
		return nil, errgrpc.ToNative(err)
	}
	of := map[string]*runtime.PodSandboxMetadata{}
	for _, p := range pods.GetItems() {
		of[p.GetId()] = p.GetMetadata()
	}
	for _, r := range containers.GetContainers() {
		pod, namespace, name := r.GetLabels()[podName], r.GetLabels()[podNamespace], r.GetLabels()[containerName]
		if pod == "" || namespace == "" || name == "" {
			meta := of[r.GetPodSandboxId()]
			pod, namespace, name = meta.GetName(), meta.GetNamespace(), r.GetMetadata().GetName()
		}
		one := candidate{Info: container.Info{Engine: "cri", Namespace: namespace, ID: r.GetId(), Name: pod + "/" + name}}
		one.aliases = []string{one.Name, namespace + "/" + one.Name, name, pod}
		_, one.state, _ = strings.Cut(strings.ToLower(r.GetState().String()), "_") // "CONTAINER_RUNNING"
		list = append(list, one)
	}
	return list, nil
}

// setPID asks for the pid, which the interface leaves to what a runtime may say beyond it; containerd and CRI-O do.
func (c *cri) setPID(ctx context.Context, one *candidate) error {
	r, err := c.client.ContainerStatus(ctx, &runtime.ContainerStatusRequest{ContainerId: one.ID, Verbose: true})
	if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
		return container.ErrNotFound
	}
	if err != nil {
		return err
	}
	var info struct {
		Pid int `json:"pid"`
	}
	if err := json.Unmarshal([]byte(r.GetInfo()["info"]), &info); err != nil {
		return fmt.Errorf("the pid of container %s: %w", one.ID, err)
	}
	one.PID = info.Pid
	return nil
}
