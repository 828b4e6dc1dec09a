// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package besideinit

// #include "init.h"
import "C"

func initCalled() int { return int(C.init_called()) }
