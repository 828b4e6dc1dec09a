// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

// Airlock starts and ends, with the constructor linked.
package main

import (
	_ "os/exec"

	_ "github.com/airlock-ns/airlock/cnsenter"
)

func main() {}
