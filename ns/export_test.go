// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns

// WithoutOpenat2 makes f resolve names as on a kernel that lacks openat2(2).
func (f *FS) WithoutOpenat2() { f.walk = stepwise }
