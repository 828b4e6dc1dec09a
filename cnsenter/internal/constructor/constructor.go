// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

// Package constructor is the C half of package cnsenter. It imports nothing, so that its init function runs before those of package os
// and of all packages that import it: none of them sees the root directory under which the Go runtime starts. See root.c.
package constructor

// #cgo CFLAGS: -O2
// #cgo airlock_pause CFLAGS: -DAIRLOCK_PAUSE
// #include "run.h"
import "C"

func init() {
	if C.airlock_rest.root >= 0 {
		C.airlock_finish()
	}
}
