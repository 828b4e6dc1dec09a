// SPDX-License-Identifier: Apache-2.0

package container

// Info is a container that runs, as its engine has it.
type Info struct {
	Engine    string `json:"engine"`    // "docker", "podman", "containerd", "cri"; empty: found in the host's cgroups
	Namespace string `json:"namespace"` // of containerd, or the pod's of Kubernetes; empty: the engine has none
	ID        string `json:"id"`        // whole
	Name      string `json:"name"`      // for CRI "pod/container"; without one, the id
	PID       int    `json:"pid"`       // of the first process, as the engine counts pids
}

// String returns the reference that means this container and no other: "docker://web", "containerd://default/web".
func (i Info) String() string {
	ref := i.Name
	if ref == "" {
		ref = i.ID
	}
	if i.Namespace != "" {
		ref = i.Namespace + "/" + ref
	}
	if i.Engine != "" {
		ref = i.Engine + "://" + ref
	}
	return ref
}
