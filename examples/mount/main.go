// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Mount bind-mounts a directory of the host in a container that is running, and that need not take part.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
	"golang.org/x/sys/unix"
)

// clone returns a copy of a directory's mount, with those below, which is attached nowhere yet, open_tree(2).
var clone = reexec.Register("clone", func(_ context.Context, path string) (reexec.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	return reexec.File{File: os.NewFile(uintptr(fd), path)}, os.NewSyscallError("open_tree", err)
})

type attachment struct {
	Tree reexec.File // the open file itself crosses
	To   string
}

// attach mounts the tree in the namespace in which it is called, move_mount(2), and returns what is seen there from then on.
var attach = reexec.Register("attach", func(_ context.Context, a attachment) ([]string, error) {
	if err := unix.MoveMount(int(a.Tree.Fd()), "", unix.AT_FDCWD, a.To, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return nil, os.NewSyscallError("move_mount", err)
	}
	return fs.Glob(os.DirFS(a.To), "*")
})

var detach = reexec.Register("detach", func(_ context.Context, path string) ([]string, error) {
	return nil, os.NewSyscallError("umount2", unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW))
})

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	source := flag.String("source", "", "directory of the host; empty: unmount what is mounted")
	to := flag.String("to", "/tmp", "directory of the container")
	flag.Parse()
	names, err := mount(context.Background(), *ref, *source, *to)
	if err != nil {
		fmt.Fprintf(os.Stderr, "mount: %q on %q: %v\n", *source, *to, err)
		os.Exit(1)
	}
	for _, name := range names {
		fmt.Println(name)
	}
}

func mount(ctx context.Context, ref, source, to string) ([]string, error) {
	inside, done, err := target.Open(ctx, ref, ns.User|ns.Mount)
	if err != nil {
		return nil, err
	}
	defer done()
	if source == "" {
		return detach.Call(ctx, reexec.In(inside), to)
	}
	tree, err := clone.Call(ctx, nil, source)
	if errors.Is(err, unix.EPERM) { // the mounts of the host are root's; their copies in a mount namespace of one's own are not
		tree, err = clone.Call(ctx, reexec.In(cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.User | ns.Mount})}), source)
	}
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	return attach.Call(ctx, reexec.In(inside), attachment{tree, to})
}
