// SPDX-License-Identifier: Apache-2.0

#ifndef AIRLOCK_ONEPROC_H
#define AIRLOCK_ONEPROC_H

// The variable whose place GOMAXPROCS has taken, or NULL.
extern __attribute__((visibility("hidden"))) char *airlock_oneproc_given;

#endif
