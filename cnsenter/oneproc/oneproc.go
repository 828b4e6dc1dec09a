// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package oneproc

// #include "oneproc.h"
import "C"

import (
	"strings"
	"syscall"
)

// By now the runtime has counted its processors. Of a name that is there twice Go keeps the first.
func init() {
	if C.airlock_oneproc_given == nil {
		return
	}
	syscall.Unsetenv("GOMAXPROCS")
	name, value, _ := strings.Cut(C.GoString(C.airlock_oneproc_given), "=")
	if _, there := syscall.Getenv(name); !there {
		syscall.Setenv(name, value)
	}
}
