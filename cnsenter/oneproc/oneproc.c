// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "oneproc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

char *airlock_oneproc_given;

// The Go runtime reads the environment that the kernel has passed. There is no room in it for one more variable, so GOMAXPROCS takes
// the place of the last one until package oneproc is initialised.
__attribute__((constructor)) static void take_place(void)
{
	static char one[] = "GOMAXPROCS=1";
	if (!environ || !*environ || getenv("GOMAXPROCS"))
		return;
	char **last = environ;
	while (last[1])
		last++;
	if (**last == '=' || !strchr(*last, '=')) // Go could not set it again
		return;
	airlock_oneproc_given = *last;
	*last = one;
}
