// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/airlock-ns/airlock/launcher/container"
)

// podmanProgram stands for the path of a socket.
const podmanProgram = "podman inspect"

// podman is Podman by its program: it needs no service, and seldom has one.
type podman struct{}

func openPodman(string, string) (asker, error) { return podman{}, nil }

func (podman) close() error { return nil }

func (p podman) find(ctx context.Context, name string) (candidate, error) {
	return inspectOrSearch(ctx, p, name)
}

func (p podman) inspect(ctx context.Context, name string) (candidate, error) {
	var answer []struct {
		ID    string `json:"Id"`
		Name  string
		State struct {
			Status string
			Pid    int
		}
	}
	if err := p.run(ctx, &answer, "inspect", "--type", "container", name); err != nil {
		return candidate{}, err
	}
	if len(answer) != 1 {
		return candidate{}, fmt.Errorf("the answer has %d containers", len(answer))
	}
	a := answer[0]
	return podmanCandidate(a.ID, []string{a.Name}, a.State.Status, a.State.Pid), nil
}

func (p podman) all(ctx context.Context, stopped bool) (list []candidate, err error) {
	var answer []struct {
		ID    string `json:"Id"`
		Names []string
		State string
		Pid   int
	}
	args := []string{"ps", "--no-trunc", "--format", "json"}
	if stopped {
		args = append(args, "--all")
	}
	err = p.run(ctx, &answer, args...)
	for _, a := range answer {
		list = append(list, podmanCandidate(a.ID, a.Names, a.State, a.Pid))
	}
	return list, err
}

func (p podman) list(ctx context.Context) ([]candidate, error) { return p.all(ctx, false) }

func podmanCandidate(id string, names []string, state string, pid int) candidate {
	c := candidate{Info: container.Info{Engine: "podman", ID: id, Name: id, PID: pid}, state: state, aliases: names}
	if len(names) > 0 {
		c.Name = names[0]
	}
	return c
}

// run decodes what podman(1) prints. It is asked about this host whatever its configuration says.
func (podman) run(ctx context.Context, answer any, args ...string) error {
	cmd := exec.CommandContext(ctx, "podman", append([]string{"--remote=false"}, args...)...)
	cmd.WaitDelay = time.Second // something that podman has left running may hold the pipes
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		lines := bytes.Split(bytes.TrimSpace(stderr.Bytes()), []byte("\n"))
		return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(out, answer)
}
