// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package reexec

import (
	"context"
	"errors"
)

func (p *Process) run(_ context.Context, c *call) error {
	return &Error{Func: c.entry.name, Stage: StageStart, Err: errors.ErrUnsupported}
}

func (r *shared) run(ctx context.Context, c *call) error { return r.process.run(ctx, c) }

// pooled is never made where no worker can be started.
type pooled struct{}

// CloseIdle does nothing where no worker can be started.
func (p *Pool) CloseIdle(any) {}

// Close does nothing where no worker can be started.
func (p *Pool) Close() error { return nil }

func duplicate(int) (int, error) { return -1, errors.ErrUnsupported }

func closeDescriptor(int) {}
