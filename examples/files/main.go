// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Files shows a file or a directory of a container from outside: its file tree is an io/fs file system, and nothing runs inside.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func main() {
	reexec.Init() // for owner.go: an ordinary user needs a copy of this program, root does not
	ref := flag.String("target", "", target.Usage)
	flag.Parse()
	if err := files(context.Background(), *ref, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		os.Exit(1)
	}
}

func files(ctx context.Context, ref, name string) error {
	inside, done, err := target.Open(ctx, ref, ns.Mount)
	if err != nil {
		return err
	}
	defer done()
	handles, err := inside.Open()
	if err != nil {
		return err
	}
	if len(handles) == 0 { // a target is what is not the caller's own
		return fmt.Errorf("%s has the same files as we", ref)
	}
	mount := handles[0]
	defer mount.Close()

	name = path.Join(".", path.Join("/", name)) // as io/fs has names: "etc/os-release", and "." for the root
	text, err := show(mount, name)
	if errors.Is(err, syscall.EPERM) {
		text, err = showAsOwner(ctx, mount, name)
	}
	os.Stdout.Write(text)
	return err
}

// show returns the text of a file, or the list of a directory.
func show(mount *ns.Handle, name string) ([]byte, error) {
	tree, err := mount.FS() // for all that takes an fs.FS: fs.WalkDir, template.ParseFS, http.FileServerFS, …
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	if text, err := tree.ReadFile(name); !errors.Is(err, syscall.EISDIR) {
		return text, err
	}
	var list []byte
	entries, err := tree.ReadDir(name)
	for _, e := range entries {
		list = fmt.Appendln(list, fs.FormatDirEntry(e))
	}
	return list, err
}
