// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"time"

	"github.com/airlock-ns/airlock/launcher/container"
)

// listContainers asks the engines, through airlock-engine, for the containers that run. Where it is not there, or does not answer in
// time, there are none.
func listContainers(patience time.Duration) []container.Info {
	program, err := enginePath()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "list")
	cmd.WaitDelay = 100 * time.Millisecond
	out, _ := cmd.Output() // what an engine has answered is printed also if another one fails
	var all []container.Info
	for lines := json.NewDecoder(bytes.NewReader(out)); ; {
		var one container.Info
		if lines.Decode(&one) != nil {
			return all
		}
		all = append(all, one)
	}
}

// containerNames returns what enter takes for the containers, by their first processes.
func containerNames(patience time.Duration) map[int]string {
	names := map[int]string{}
	for _, one := range listContainers(patience) {
		names[one.PID] = one.String()
	}
	return names
}
