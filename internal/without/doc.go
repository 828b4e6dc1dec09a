// SPDX-License-Identifier: Apache-2.0

// Command without executes a program for which some system calls do not exist, as on an older kernel or under a container engine's
// seccomp(2) filter:
//
//	without pidfd_open,openat2 program argument…
//
// The calls give ENOSYS. "pidfd-ioctl" stands for ioctl(2) on pidfds, which gives ENOTTY.
package main
