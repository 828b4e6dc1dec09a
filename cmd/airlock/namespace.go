// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// openFile opens a namespace by its path or, behind a colon, by the number that the kernel knows it by, NS_GET_ID in ioctl_nsfs(2).
func openFile(file string, t ns.Type) (h *ns.Handle, err error) {
	if number, ok := strings.CutPrefix(file, ":"); ok {
		h, err = openNumber(number, t)
	} else {
		h, err = ns.Open(file)
	}
	if err != nil {
		return nil, err
	}
	if h.Type() != t {
		return nil, fmt.Errorf("%s is a namespace of type %v, not %v", file, h.Type(), t)
	}
	return h, nil
}

// openNumber asks the kernel, which knows the namespace by its number alone since Linux 6.19, and needs its inode number before: that of one of
// the namespaces that there are.
func openNumber(number string, t ns.Type) (*ns.Handle, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf(":%s is no namespace id", number)
	}
	h, err := ns.OpenKernelID(ns.KernelID{Number: n, Type: t})
	if !errors.Is(err, unix.ESTALE) {
		return h, err
	}
	for info, err := range ns.List(context.Background()) {
		if err != nil || info.Type != t {
			continue // a process that is not to be looked at hides no namespace that may be entered
		}
		if h, err := ns.OpenKernelID(ns.KernelID{Number: n, Type: t, Ino: uint32(info.ID.Ino)}); err == nil {
			return h, nil
		}
	}
	return nil, fmt.Errorf("there is no %v namespace with the id %d", t, n)
}

func isOurs(h *ns.Handle) (bool, error) {
	ours, err := ns.Current(h.Type())
	if err != nil {
		return false, err
	}
	defer ours.Close()
	return ours.ID() == h.ID(), nil
}
