// SPDX-License-Identifier: Apache-2.0

// The input is a value of AIRLOCK_JOIN. What begins with "/no/" is not there.

#define _GNU_SOURCE
#include "harness.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	char *value = strndup((const char *)input, size);
	if (!value)
		abort();
	struct airlock_run run = {.socket = -1, .relay = -1, .home = -1};
	if (strlen(value) < AIRLOCK_MAX_JOIN && !setjmp(harness_ended) && airlock_parse_joins(&run, value))
		harness_use(&run);
	free(value);
	return 0;
}
