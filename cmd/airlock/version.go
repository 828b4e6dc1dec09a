// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"github.com/airlock-ns/airlock/cmd/internal/release"
	"github.com/airlock-ns/airlock/cnsenter"
)

// version says what this program is, and what it lacks.
func version() string {
	text := "airlock " + release.Version()
	if !cnsenter.Linked {
		text += ", built without cgo: no user and no time namespaces, no capability sets, no files of the target for --host-tools"
	}
	return text
}
