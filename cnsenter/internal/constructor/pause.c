// SPDX-License-Identifier: Apache-2.0

//go:build linux && airlock_pause

// Pauses for tests that kill processes in the middle of a plan. Programs that are built without the tag have none.

#define _GNU_SOURCE
#ifndef AIRLOCK_PAUSE
#define AIRLOCK_PAUSE // for those who compile all files of the directory
#endif
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

// AIRLOCK_PAUSE is "place milliseconds name": at this place the process calls itself by the name, prctl(2) PR_SET_NAME, so that it can
// be found, and sleeps for so long.
void airlock_pause(const char *place, unsigned index)
{
	const char *given = getenv("AIRLOCK_PAUSE");
	char here[32], place_given[32], name[16];
	unsigned milliseconds;
	if (!given || sscanf(given, "%31s %u %15s", place_given, &milliseconds, name) != 3)
		return;
	snprintf(here, sizeof here, "%s%u", place, index);
	if (strcmp(here, place_given))
		return;
	prctl(PR_SET_NAME, name, 0, 0, 0);
	struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
	while (nanosleep(&left, &left) < 0)
		;
}
