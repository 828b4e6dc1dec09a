// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns

// WithoutOpenat2 makes f resolve names as on a kernel that lacks openat2(2).
func (f *FS) WithoutOpenat2() { f.walk = stepwise }

// Mistaken returns a Handle that takes the namespace of h for one of type t: the kernel will not let it be entered.
func Mistaken(h *Handle, t Type) *Handle { return &Handle{file: h.file, typ: t, id: h.id} }
