// SPDX-License-Identifier: Apache-2.0

//go:build linux && !amd64 && !arm64 && !riscv64

package ns

const machine = 0 // no code for this processor

var code []byte
