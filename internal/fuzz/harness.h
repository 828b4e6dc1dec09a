// SPDX-License-Identifier: Apache-2.0

// What the fuzz targets of the constructor's C files share. The files are compiled as they are, but for the functions that leave the process
// or look at it: those are replaced, by their names, with the functions here (see run).

#ifndef AIRLOCK_HARNESS_H
#define AIRLOCK_HARNESS_H

#include "../../cnsenter/internal/constructor/run.h"

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// harness_ended is where a process that ended would have.
extern jmp_buf harness_ended;

// harness_copy returns memory of that size and no more, with the bytes. The caller frees it.
void *harness_copy(const uint8_t *bytes, size_t size);

// harness_use reads all of a plan that was found to be well-formed, and has every step of it fail.
void harness_use(const struct airlock_run *run);

// In the place of functions of libc.
_Noreturn void harness_exit(int status);
int harness_open(const char *path, int flags, ...);
int harness_dprintf(int fd, const char *format, ...);
ssize_t harness_send(int fd, const void *bytes, size_t size, int flags);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#endif
