// SPDX-License-Identifier: Apache-2.0

// The input is the number of files that come with a plan, in a byte, and the plan.

#include "harness.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	if (!size)
		return 0;
	struct airlock_run run = {.socket = -1, .relay = -1, .home = -1};
	void *plan = harness_copy(input + 1, size - 1);
	if (airlock_check(&run, plan, size - 1, input[0]))
		harness_use(&run);
	free(plan);
	return 0;
}
