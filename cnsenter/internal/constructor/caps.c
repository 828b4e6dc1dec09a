// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Version 3 of the interface of capset(2); linux/capability.h is not where musl-gcc looks.
struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_data { // the low and the high 32 capabilities
	uint32_t effective, permitted, inheritable;
};

static struct cap_header header = {.version = 0x20080522};

#define HAS(set, cap) ((set) >> (cap)&1)

// raise_permitted makes every permitted capability effective: a change of uid has left only the permitted ones.
static int raise_permitted(void)
{
	struct cap_data data[2];
	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	return (int)syscall(SYS_capset, &header, data);
}

bool airlock_may_setgid(void)
{
	const unsigned setgid = 6; // CAP_SETGID
	struct cap_data data[2];
	int error = errno;
	bool may = syscall(SYS_capget, &header, data) == 0 && HAS(data[0].effective, setgid);
	errno = error;
	return may;
}

// bound drops what is not in the set from the bounding set, up to the last capability that the kernel knows.
static int bound(uint64_t bounding)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		int held = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (held < 0)
			return 0;
		if (held && !HAS(bounding, cap) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

static int ambient(uint64_t set)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return set ? -1 : 0; // before Linux 4.3 there are none
	for (unsigned cap = 0; cap < 64; cap++)
		if (HAS(set, cap) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -1;
	return 0;
}

int airlock_set_caps(const void *bytes)
{
	struct airlock_caps caps;
	memcpy(&caps, bytes, sizeof caps); // may not be aligned
	const struct cap_data data[2] = {
		{(uint32_t)caps.effective, (uint32_t)caps.permitted, (uint32_t)caps.inheritable},
		{(uint32_t)(caps.effective >> 32), (uint32_t)(caps.permitted >> 32), (uint32_t)(caps.inheritable >> 32)},
	};
	if (raise_permitted() < 0 || bound(caps.bounding) < 0 || syscall(SYS_capset, &header, data) < 0)
		return -1;
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? -1 : ambient(caps.ambient);
}
