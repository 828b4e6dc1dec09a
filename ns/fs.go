// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"io/fs"
	"os"
)

// FS is the file tree of a mount namespace, as seen from its root: a file system for package io/fs.
// It may be used from any goroutine, and none is in the namespace meanwhile. Names are as in fs.ValidPath.
// Symbolic links, absolute ones included, stay inside the tree, and so does "..". What is mounted
// there later is seen.
//
// The tree may belong to somebody hostile. Opening a name never leads out of it, not by the magic
// links of proc(5) either, and does not wait for anything inside: only regular files and directories
// are opened. Of a FIFO, a socket or a device Open returns a file that can be asked for its Stat, and
// cannot be read. Reads do not wait: where they would have to, the error holds EAGAIN. A file system
// whose server does not answer, such as FUSE or NFS, can delay every call that touches it.
//
// The FS keeps its namespace alive until Close, and needs neither the Handle nor privilege after it
// was made.
type FS struct {
	tree *os.File // the namespace: when the last reference goes, its mounts come apart
	root *os.File // its root, O_PATH
	self *os.File // /proc/self/fd of this process, O_PATH
	walk resolver
}

// A resolver opens name, O_PATH, below the directory root and never outside. If follow is not set
// and name is a symbolic link, it opens the link.
type resolver func(root int, name string, follow bool) (int, error)

var (
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// Close releases the tree. Files that are open stay so. Closing twice does nothing.
func (f *FS) Close() error {
	if f.root != nil {
		_ = f.tree.Close()
		_ = f.root.Close()
		_ = f.self.Close()
	}
	return nil
}
