// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package ns

import (
	"os"
	"strconv"
)

// Foreign fails: there are namespaces only on Linux.
func Foreign(_ *os.File, pid int, _ Type) (Type, error) {
	return 0, unsupported("open", "pid "+strconv.Itoa(pid))
}
