// SPDX-License-Identifier: Apache-2.0

//go:build linux

// The constructor of package cnsenter looks for this symbol.
__attribute__((visibility("hidden"))) extern const char airlock_opted_in;
const char airlock_opted_in = 1;
