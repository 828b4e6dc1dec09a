// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "joins.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>

// The table is the constructor's, which is part of every program that gets here, but not of the one that cgo links of this package alone.
#pragma weak airlock_types

static jmp_buf missing;

static int open_nothing(const char *path, int flags)
{
	(void)flags;
	errno = ENOENT;
	return strncmp(path, "/no/", 4) ? 0 : -1;
}

static _Noreturn void fail_back(const struct airlock_run *run, uint32_t step, uint32_t left, int error)
{
	(void)run, (void)step, (void)left, (void)error;
	longjmp(missing, 1);
}

static bool parse_joins(struct airlock_run *run, const char *value);

// The parser that follows is the constructor's, word for word.
#define open open_nothing
#define airlock_fail fail_back
#define airlock_parse_joins parse_joins
#include "../constructor/atstart.c"

int wirecheck_joins(struct airlock_run *run, const char *value)
{
	return setjmp(missing) ? -1 : parse_joins(run, value);
}
