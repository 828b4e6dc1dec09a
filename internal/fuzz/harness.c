// SPDX-License-Identifier: Apache-2.0

#include "harness.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

jmp_buf harness_ended;

void *harness_copy(const uint8_t *bytes, size_t size)
{
	void *copy = malloc(size);
	if (!copy)
		abort();
	return size ? memcpy(copy, bytes, size) : copy;
}

// touch reads memory, so that a sanitizer sees where it ends.
static void touch(const void *memory, size_t size)
{
	static volatile char byte;
	for (size_t i = 0; i < size; i++)
		byte = ((const char *)memory)[i];
	(void)byte;
}

static void fail(const struct airlock_run *run, uint32_t step, uint32_t left, int error)
{
	if (!setjmp(harness_ended))
		airlock_fail(run, step, left, error);
}

void harness_use(const struct airlock_run *run)
{
	static const int errors[] = {EPERM, ENOENT, EINVAL};
	uint32_t steps = run->header.steps;
	if (steps > AIRLOCK_MAX_STEPS || run->header.files > AIRLOCK_MAX_FILES)
		abort();
	touch(run->data, run->header.data);
	if (run->program)
		touch(run->program, strlen(run->program) + 1);
	for (uint32_t i = 0; i < steps; i++) {
		const struct airlock_step *step = &run->steps[i];
		if (step->file != AIRLOCK_NONE && step->file >= run->header.files)
			abort();
		touch(run->data + step->start, step->size);
	}
	for (uint32_t i = 0; i <= steps; i++)
		fail(run, i < steps ? i : AIRLOCK_STAGE_GUARD, i & 1, errors[i % 3]);
}

void harness_exit(int status)
{
	(void)status;
	longjmp(harness_ended, 1);
}

int harness_open(const char *path, int flags, ...)
{
	(void)flags;
	errno = ENOENT;
	return strncmp(path, "/no/", 4) ? 3 : -1;
}

int harness_dprintf(int fd, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	int size = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return fd == 2 ? size : -1;
}

ssize_t harness_send(int fd, const void *bytes, size_t size, int flags)
{
	(void)fd, (void)flags;
	touch(bytes, size);
	return (ssize_t)size;
}
