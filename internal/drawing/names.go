// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/airlock-ns/airlock/cnsenter"
)

// frames are what a call sends and gets, by the names that package reexec has for them.
var (
	request = []string{"call", "files", "param"}
	answer  = []string{"log", "files", "result", "fail"}
)

// entry is the plan of package launcher for the namespaces of somebody who has all of his own.
var entry = []cnsenter.Op{cnsenter.OpJoin, cnsenter.OpFork, cnsenter.OpDropGroups, cnsenter.OpSetGID, cnsenter.OpSetUID}

// steps are the names of operations, in a row.
func steps(ops ...cnsenter.Op) string {
	var names []string
	for _, op := range ops {
		names = append(names, op.String())
	}
	return list(names)
}

func list(names []string) string { return strings.Join(names, " · ") }
