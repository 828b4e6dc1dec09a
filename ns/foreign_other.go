// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package ns

import (
	"os"
	"strconv"
)

// Foreign fails: there are namespaces only on Linux.
func Foreign(pid int, t Type) (*os.File, Type, error) {
	return nil, 0, unsupported("open", "pid "+strconv.Itoa(pid))
}
