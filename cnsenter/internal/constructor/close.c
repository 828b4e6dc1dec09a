// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436 // the same on every architecture
#endif

#ifndef PROC_SUPER_MAGIC
#define PROC_SUPER_MAGIC 0x9fa0 // linux/magic.h, which musl-gcc does not see
#endif

// close_listed is for kernels before 5.9. What is not procfs would not list all descriptors.
static int close_listed(unsigned first, unsigned last)
{
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		return errno;
	struct statfs fs;
	int error = fstatfs(dirfd(dir), &fs) < 0 ? errno : fs.f_type != PROC_SUPER_MAGIC ? ENOSYS : 0;
	for (struct dirent *entry; !error && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		unsigned fd = (unsigned)strtoul(entry->d_name, NULL, 10);
		if (fd >= first && fd <= last && fd != (unsigned)dirfd(dir))
			close((int)fd);
	}
	closedir(dir);
	return error;
}

static int close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	return errno == ENOSYS ? close_listed(first, last) : errno;
}

int airlock_close_from(unsigned first)
{
	return close_between(first, ~0u);
}

void airlock_close_but(int a, int b, int c)
{
	unsigned first = 0;
	for (;;) {
		unsigned next = ~0u; // the lowest that is kept and not below first
		const int kept[] = {a, b, c};
		for (int i = 0; i < 3; i++)
			if (kept[i] >= 0 && (unsigned)kept[i] >= first && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		if (next == ~0u)
			break;
		if (next > 0)
			close_between(first, next - 1);
		first = next + 1;
	}
	close_between(first, ~0u);
}
