// SPDX-License-Identifier: Apache-2.0

//go:build linux

#include "init.h"

static int called;

// A global constructor of the name that runc's nsenter and gons both give theirs.
__attribute__((constructor)) void init(void)
{
	called++;
}

int init_called(void)
{
	return called;
}
