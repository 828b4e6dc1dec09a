// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"runtime/debug"

	"github.com/airlock-ns/airlock/cnsenter"
)

// version says what this program is, and what it lacks.
func version() string {
	text := "airlock (devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		text = "airlock " + info.Main.Version
	}
	if !cnsenter.Linked {
		text += ", built without cgo: no user and no time namespaces, no capability sets, no files of the target for --host-tools"
	}
	return text
}
