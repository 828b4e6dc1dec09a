// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package launcher

import "syscall"

func leavesTerminal(*syscall.SysProcAttr) bool { return false }
