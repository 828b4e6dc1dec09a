// SPDX-License-Identifier: Apache-2.0

//go:build linux

package targets_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/airlock-ns/airlock/reexec"
)

// view is what one sees from inside a container. Processes are "pid name", the viewer's own left out.
type view struct {
	Hostname   string
	PID        int
	Processes  []string
	Planted    string
	Interfaces []string
}

// The FIFOs by which a running look is held: it writes its pid to the one and reads the other.
const (
	pidFIFO  = "/dev/shm/pid"
	holdFIFO = "/dev/shm/hold"
)

var look = reexec.Register("look", func(_ context.Context, hold bool) (view, error) {
	v := view{PID: os.Getpid()}
	if hold {
		if err := os.WriteFile(pidFIFO, []byte(fmt.Sprint(v.PID)), 0); err != nil {
			return v, err
		}
		if _, err := os.ReadFile(holdFIFO); err != nil {
			return v, err
		}
	}
	var err error
	if v.Hostname, err = os.Hostname(); err != nil {
		return v, err
	}
	if v.Processes, err = processes(v.PID); err != nil {
		return v, err
	}
	planted, err := os.ReadFile(plantedFile)
	if err != nil {
		return v, err
	}
	v.Planted = string(planted)
	interfaces, err := net.Interfaces()
	if err != nil {
		return v, err
	}
	for _, i := range interfaces {
		v.Interfaces = append(v.Interfaces, i.Name)
	}
	slices.Sort(v.Interfaces)
	return v, nil
})

func processes(but int) (list []string, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		pid := filepath.Base(path)
		comm, err := os.ReadFile(path + "/comm")
		if err != nil || pid == fmt.Sprint(but) {
			continue
		}
		list = append(list, pid+" "+strings.TrimSpace(string(comm)))
	}
	slices.Sort(list)
	return list, nil
}
