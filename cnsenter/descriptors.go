// SPDX-License-Identifier: Apache-2.0

//go:build linux

package cnsenter

import (
	"math"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeOnExec lets execve close all descriptors from first on.
func closeOnExec(first int) error {
	if unix.CloseRange(uint(first), math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return nil
	}
	open, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	if err != nil {
		return err
	}
	for _, entry := range open {
		if number, err := strconv.Atoi(entry.Name()); err == nil && number >= first {
			unix.CloseOnExec(number)
		}
	}
	return nil
}
