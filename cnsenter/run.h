// SPDX-License-Identifier: Apache-2.0

#ifndef AIRLOCK_RUN_H
#define AIRLOCK_RUN_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define AIRLOCK_HIDDEN __attribute__((visibility("hidden")))

// A plan on its way: what was received, checked, and opened while it is carried out.
struct airlock_run {
	int socket;
	int files[AIRLOCK_MAX_FILES];
	struct airlock_header header;
	const struct airlock_step *steps;
	const char *data;
	bool mounts;         // a mount namespace is joined
	bool roots;          // the root directory changes
	const char *program; // to execute after the last step, or NULL
	int relay;           // end of a socket pair with the relay, or -1
};

// airlock_check reports whether the size bytes at plan are a well-formed plan that comes with the given number of files,
// and points run at its parts.
AIRLOCK_HIDDEN bool airlock_check(struct airlock_run *run, const void *plan, size_t size, unsigned files);

// airlock_receive takes the plan and its files off the socket, and does not wait for them.
// It returns 0 or an errno.
AIRLOCK_HIDDEN int airlock_receive(struct airlock_run *run);

// airlock_report sends one report. It returns false when nobody is there to read it.
AIRLOCK_HIDDEN bool airlock_report(const struct airlock_run *run, uint32_t outcome, uint32_t step, uint32_t left, int error);

// airlock_fail reports that a step failed, and ends the process.
AIRLOCK_HIDDEN _Noreturn void airlock_fail(const struct airlock_run *run, uint32_t step, uint32_t left, int error);

// airlock_steps takes every step of the plan, or fails.
AIRLOCK_HIDDEN void airlock_steps(struct airlock_run *run);

// airlock_fork forks. The child returns; the parent becomes the relay, which does not.
AIRLOCK_HIDDEN void airlock_fork(struct airlock_run *run, uint32_t step);

// airlock_close_from closes every descriptor from first on. It returns 0 or an errno.
AIRLOCK_HIDDEN int airlock_close_from(unsigned first);

#endif
