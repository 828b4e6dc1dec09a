// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// numbers are the calls that can be taken away; these have one number on all architectures.
var numbers = map[string]uint32{
	"pidfd_open":        unix.SYS_PIDFD_OPEN,
	"clone3":            unix.SYS_CLONE3,
	"close_range":       unix.SYS_CLOSE_RANGE,
	"openat2":           unix.SYS_OPENAT2,
	"memfd_create":      unix.SYS_MEMFD_CREATE,
	"fchmodat2":         unix.SYS_FCHMODAT2,
	"statmount":         unix.SYS_STATMOUNT,
	"listmount":         unix.SYS_LISTMOUNT,
	"execveat":          unix.SYS_EXECVEAT,
	"open_by_handle_at": unix.SYS_OPEN_BY_HANDLE_AT,
}

var architectures = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// Offsets in struct seccomp_data. The low half of an argument comes first on these architectures.
const (
	atNumber       = 0
	atArchitecture = 4
	atArgument1    = 16 + 8
)

// pidfdType is the type, _IOC_TYPE in ioctl(2), of the requests that pidfds know: PIDFS_IOCTL_MAGIC in linux/pidfd.h.
const pidfdType = 0xff

// filter returns the program that seccomp(2) runs for every system call.
func filter(names []string) ([]unix.SockFilter, error) {
	architecture, ok := architectures[runtime.GOARCH]
	if !ok {
		return nil, fmt.Errorf("not made for %s", runtime.GOARCH)
	}
	const allow, absent = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO
	program := []unix.SockFilter{
		load(atArchitecture), unless(architecture, 1), end(allow),
	}
	for _, name := range names {
		if name == "pidfd-ioctl" {
			program = append(program,
				load(atNumber), jump(unix.SYS_IOCTL, 0, 5),
				load(atArgument1), and(0xff00), jump(pidfdType<<8, 0, 1),
				end(absent|uint32(unix.ENOTTY)),
				load(atNumber))
			continue
		}
		number, ok := numbers[name]
		if !ok {
			return nil, fmt.Errorf("unknown system call %q", name)
		}
		program = append(program, load(atNumber), jump(number, 0, 1), end(absent|uint32(unix.ENOSYS)))
	}
	return append(program, end(allow)), nil
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func and(mask uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: mask}
}

// jump passes over some of the next instructions, depending on whether the value is k.
func jump(k uint32, same, other uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: same, Jf: other, K: k}
}

func unless(k uint32, over uint8) unix.SockFilter { return jump(k, over, 0) }

func end(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}
