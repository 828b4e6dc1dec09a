// SPDX-License-Identifier: Apache-2.0

// Package engine turns the names that people give to containers into targets, by asking the engines that gave them:
//
//	web, err := engine.Resolve(ctx, "docker://web", ns.All)
//	…
//	defer web.Close()
//	name, err := hostname.Call(ctx, reexec.In(web), struct{}{})
//
// # References
//
//	docker://NAME             a name, an id, or the start of an id
//	podman://NAME             the same
//	containerd://NAMESPACE/ID an id, its start, or the name that nerdctl has given; without NAMESPACE it is looked for in all
//	cri://POD/CONTAINER       as Kubernetes names them; cri://NAMESPACE/POD/CONTAINER where that is ambiguous, or an id
//	pid://PID                 a process
//	NAME                      Docker, Podman, CRI and containerd are asked in turn, and the first that knows it has it
//
// CRI comes before containerd, which has the same containers and less to say about them. The start of an id, or a name, that means
// several containers of one engine is an error that names them. A full id, or 12 digits of one, needs no engine that answers: it is
// found in the host's cgroups, as package launcher/container has it.
//
// # Engines
//
// An engine is asked by its local socket, and nothing but the socket is needed. It is the one that the engine's own variable
// names, DOCKER_HOST, CONTAINER_HOST, CONTAINERD_ADDRESS or CONTAINER_RUNTIME_ENDPOINT, and otherwise those of the caller's own
// rootless engine, in $XDG_RUNTIME_DIR and /run/user/UID, and of the system's. Podman without its socket is asked by
// podman-inspect(1). An engine that is elsewhere, by TCP or SSH, is refused with a [RemoteError]: what it calls 4711 is some other
// process here.
//
// To ask takes the right to open the socket: root, or a group such as docker, or being the user of a rootless engine. To enter takes more, see
// package launcher. [Resolve] needs Linux 5.8, as launcher.PID does; off Linux everything fails with errors.ErrUnsupported.
//
// # Safety
//
// Between the answer of an engine and its use the container may end and another process get its number. So [Resolve] holds the
// process by a pidfd, and returns a Target only if a cgroup of what it holds has the container's id. An engine with pids of
// its own, behind a forwarded socket or in a PID namespace, is found out in the same way.
//
// The package links the engines' own clients, which cost a program 3.7 ms at every start; hence cmd/airlock-engine, a program
// of its own that airlock(1) asks.
package engine
