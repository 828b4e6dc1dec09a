// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package container

import (
	"context"
	"errors"
	"strconv"
)

// Process is one that is held, however its number is used.
type Process struct{}

// Open fails: there are cgroups only on Linux.
func Open(pid int) (*Process, error) {
	return nil, &Error{Op: "open", Ref: "pid " + strconv.Itoa(pid), Err: errors.ErrUnsupported}
}

// Close does nothing.
func (p *Process) Close() error { return nil }

// Check fails as Open does.
func (p *Process) Check(id string) error {
	return &Error{Op: "check", Ref: id, Err: errors.ErrUnsupported}
}

// Find fails as Open does.
func Find(ctx context.Context, id string) (Info, error) {
	return Info{}, &Error{Op: "find", Ref: strconv.Quote(id), Err: errors.ErrUnsupported}
}
