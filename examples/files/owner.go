// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// place is a name in the file tree of a mount namespace.
type place struct {
	Mount reexec.File // the open namespace crosses to the copy of this program
	Name  string
}

// shown is show, to be called in another process.
var shown = reexec.Register("show", func(_ context.Context, p place) ([]byte, error) {
	mount, err := ns.FromFile(p.Mount.File)
	if err != nil {
		return nil, err
	}
	defer mount.Close()
	return show(mount, p.Name)
})

// showAsOwner is show for an ordinary user. He has the privileges over the namespaces of a container that he made, but only in the user
// namespace that owns them, user_namespaces(7). Of the container's namespaces the copy of this program enters that one alone: its
// files are still the caller's.
func showAsOwner(ctx context.Context, mount *ns.Handle, name string) ([]byte, error) {
	owner, err := mount.Owner()
	if err != nil {
		return nil, err
	}
	defer owner.Close()
	return shown.Call(ctx, reexec.In(launcher.Handles(owner)), place{reexec.File{File: mount.File()}, name})
}
