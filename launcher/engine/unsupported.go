// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package engine

import (
	"context"
	"errors"
	"time"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/ns"
)

// Timeout is how long one engine may take to answer.
const Timeout = 5 * time.Second

// Resolve fails: there are namespaces only on Linux.
func Resolve(ctx context.Context, ref string, t ns.Type) (*launcher.Target, error) {
	return nil, &Error{Op: "resolve", Ref: ref, Err: errors.ErrUnsupported}
}

// Find fails as Resolve does.
func Find(ctx context.Context, ref string) (container.Info, error) {
	return container.Info{}, &Error{Op: "find", Ref: ref, Err: errors.ErrUnsupported}
}

// List fails as Resolve does.
func List(ctx context.Context) ([]container.Info, error) {
	return nil, &Error{Op: "list", Ref: "containers", Err: errors.ErrUnsupported}
}
