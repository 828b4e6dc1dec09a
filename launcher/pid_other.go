// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package launcher

import (
	"errors"
	"strconv"

	"github.com/airlock-ns/airlock/ns"
)

// PID fails: there are namespaces only on Linux.
func PID(pid int, _ ns.Type) (*Target, error) {
	return nil, &Error{Op: "open", Ref: "pid " + strconv.Itoa(pid), Err: errors.ErrUnsupported}
}
