// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package reexec

import (
	"context"
	"errors"
)

func (p *Process) run(context.Context, *call) error {
	return &Error{Stage: StageStart, Err: errors.ErrUnsupported}
}
