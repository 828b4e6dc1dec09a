// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"net"
	"os"
	"strings"
)

// sight is what look sees. It travels as JSON, either way.
type sight struct {
	Hostname, File string
	Interfaces     []string
}

// look is the work of the tool, which knows nothing of namespaces.
func look(path string) (s sight, err error) {
	if s.Hostname, err = os.Hostname(); err != nil {
		return s, err
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	s.File = strings.TrimSpace(string(file))
	interfaces, err := net.Interfaces()
	for _, i := range interfaces {
		s.Interfaces = append(s.Interfaces, i.Name)
	}
	return s, err
}
