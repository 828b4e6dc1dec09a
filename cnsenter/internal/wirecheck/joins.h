// SPDX-License-Identifier: Apache-2.0

#ifndef AIRLOCK_WIRECHECK_JOINS_H
#define AIRLOCK_WIRECHECK_JOINS_H

#include "../constructor/run.h"

// wirecheck_joins makes a plan of a value of AIRLOCK_JOIN as the constructor does, but opens nothing: a path has a file unless it begins
// with "/no/". It returns whether the value is well-formed, or -1 if a file is missing.
AIRLOCK_HIDDEN int wirecheck_joins(struct airlock_run *run, const char *value);

#endif
