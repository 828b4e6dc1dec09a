// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package reexec

import (
	"errors"
	"os"
)

// callee is never made where no worker can be started.
type callee struct{}

func takeCall() *callee { return nil }

func (*callee) serve() error { return errors.ErrUnsupported }

func exit(status int) { os.Exit(status) }
