// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// variables by which the engines' own programs find them.
var variables = map[string]string{
	"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST", "cri": "CONTAINER_RUNTIME_ENDPOINT", "containerd": "CONTAINERD_ADDRESS",
}

// own are the sockets of rootless engines, below the user's runtime directory.
var own = map[string]string{"docker": "docker.sock", "podman": "podman/podman.sock"}

// system are the sockets of the system's engines, those of k3s among them.
var system = map[string][]string{
	"docker":     {"/run/docker.sock"},
	"podman":     {"/run/podman/podman.sock"},
	"cri":        {"/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/cri-dockerd.sock", "/run/k3s/containerd/containerd.sock"},
	"containerd": {"/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"},
}

// sockets returns the paths at which an engine may listen. The variable decides alone, if it is set.
func sockets(engine string) (paths []string, err error) {
	variable := variables[engine]
	if value := os.Getenv(variable); value != "" {
		path, ok := strings.CutPrefix(value, "unix://")
		if !filepath.IsAbs(path) || !ok && strings.Contains(value, "://") {
			return nil, &RemoteError{variable, value}
		}
		return []string{path}, nil
	}
	for _, dir := range runtimeDirectories() {
		if name := own[engine]; name != "" {
			paths = append(paths, filepath.Join(dir, name))
		}
		if engine == "containerd" {
			paths = append(paths, rootlessContainerd(dir)...)
		}
	}
	return append(paths, system[engine]...), nil
}

// runtimeDirectories are those of the user, where his own engines have their sockets.
func runtimeDirectories() (dirs []string) {
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/run/user/" + strconv.Itoa(os.Geteuid())} {
		if filepath.IsAbs(dir) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// rootlessContainerd is inside a mount namespace, where its launcher says which process is in it.
func rootlessContainerd(dir string) []string {
	pid, err := os.ReadFile(filepath.Join(dir, "containerd-rootless/child_pid"))
	if err != nil {
		return nil
	}
	return []string{filepath.Join("/proc", strings.TrimSpace(string(pid)), "root/run/containerd/containerd.sock")}
}

// knock tries whether somebody listens at a socket. The engines' clients would try again and again, and lose the errno.
func knock(ctx context.Context, path string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		return conn.Close()
	}
	if failed := (*os.SyscallError)(nil); errors.As(err, &failed) {
		return failed // without the path, which the Attempt has
	}
	return err
}
