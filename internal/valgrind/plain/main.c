// SPDX-License-Identifier: Apache-2.0

// A program of which the constructor is a part and Go is not: valgrind does not get along with the Go runtime.

#include "../../../cnsenter/internal/constructor/run.h"

#include <stdio.h>

int main(void)
{
	if (airlock_rest.root >= 0)
		airlock_finish();
	puts("main");
	return 0;
}
