// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package ns

import (
	"errors"
	"io/fs"
)

func (h *Handle) FS() (*FS, error) { return nil, unsupported("open the files of", h.ref()) }

func unsupportedPath(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: errors.ErrUnsupported}
}

func (f *FS) Open(name string) (fs.File, error) { return nil, unsupportedPath("open", name) }

func (f *FS) Stat(name string) (fs.FileInfo, error) { return nil, unsupportedPath("stat", name) }

func (f *FS) Lstat(name string) (fs.FileInfo, error) { return nil, unsupportedPath("lstat", name) }

func (f *FS) ReadLink(name string) (string, error) { return "", unsupportedPath("readlink", name) }

func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, unsupportedPath("readdir", name)
}

func (f *FS) ReadFile(name string) ([]byte, error) { return nil, unsupportedPath("open", name) }
