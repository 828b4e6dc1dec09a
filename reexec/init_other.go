// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package reexec

import "errors"

// callee is never made where no worker can be started.
type callee struct{}

func takeCall() *callee { return nil }

func (*callee) socket() (int, error) { return 0, errors.ErrUnsupported }

func serve(int) error { return errors.ErrUnsupported }
