// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The buffer is static: pages that no plan touches cost nothing.
static _Alignas(8) char buffer[AIRLOCK_MAX_PLAN];

// check_text holds where count texts, each with its NUL, begin at start in the data.
static bool check_text(const struct airlock_run *run, uint32_t start, int count)
{
	if (start == AIRLOCK_NONE)
		return true;
	for (; count > 0; count--) {
		if (start >= run->header.data)
			return false;
		const char *from = run->data + start, *to = memchr(from, 0, run->header.data - start);
		if (!to)
			return false;
		start += (uint32_t)(to - from) + 1;
	}
	return true;
}

// texts holds where the bytes are count texts, each with its NUL.
static bool texts(const char *bytes, uint32_t size, int count)
{
	for (uint32_t i = 0; i < size; i++)
		count -= !bytes[i];
	return size && !bytes[size - 1] && !count;
}

// check_step holds for a step whose file and data exist and are of its kind.
static bool check_step(const struct airlock_step *step, const struct airlock_header *header, const char *data)
{
	if (step->start > header->data || step->size > header->data - step->start)
		return false;
	bool file = step->file < header->files;
	if (!file && step->file != AIRLOCK_NONE)
		return false;
	const char *bytes = data + step->start;
	bool text = step->size > 1 && texts(bytes, step->size, 1);

	switch (step->op) {
	case AIRLOCK_JOIN:
		return file && step->value && !step->size;
	case AIRLOCK_CGROUP:
		return file && !step->size;
	case AIRLOCK_UNSHARE:
		return !file && step->value && (!step->size || text);
	case AIRLOCK_SETCAPS:
		return !file && step->size == sizeof(struct airlock_caps);
	case AIRLOCK_CHROOT:
	case AIRLOCK_CHDIR:
		return file ? !step->size : text;
	case AIRLOCK_EXEC:
		return !file && text;
	case AIRLOCK_MOUNT:
		return !file && texts(bytes, step->size, 4);
	case AIRLOCK_ATTACH:
		return file && text;
	case AIRLOCK_WRITE: // below the directory
		return file && texts(bytes, step->size, 2) && *bytes != '/';
	case AIRLOCK_SETGROUPS:
		return !file && step->start % sizeof(gid_t) == 0 && step->size % sizeof(gid_t) == 0;
	case AIRLOCK_FORK:
	case AIRLOCK_SETSID:
	case AIRLOCK_TERMINAL:
	case AIRLOCK_DROPGROUPS:
	case AIRLOCK_SETGID:
	case AIRLOCK_SETUID:
	case AIRLOCK_NONEWPRIVS:
	case AIRLOCK_DIEWITHCALLER:
	case AIRLOCK_AWAIT:
		return !file && !step->size;
	}
	return false;
}

bool airlock_check(struct airlock_run *run, const void *plan, size_t size, unsigned files)
{
	struct airlock_header *header = &run->header;
	if (size < sizeof *header)
		return false;
	memcpy(header, plan, sizeof *header);
	if (header->magic != AIRLOCK_MAGIC || header->steps > AIRLOCK_MAX_STEPS || header->files != files ||
	    files > AIRLOCK_MAX_FILES || size > AIRLOCK_MAX_PLAN || header->data > AIRLOCK_MAX_PLAN ||
	    size != sizeof *header + header->steps * sizeof(struct airlock_step) + header->data)
		return false;
	run->steps = (const void *)((const char *)plan + sizeof *header);
	run->data = (const void *)(run->steps + header->steps);

	if (!check_text(run, header->name, 1))
		return false;
	bool forked = false, joined = false, roots = false, lowered = false, misplaced = false;
	for (uint32_t i = 0; i < header->steps; i++) {
		const struct airlock_step *step = &run->steps[i];
		uint32_t op = step->op;
		if (!check_step(step, header, run->data) || !check_text(run, step->label, 2))
			return false;
		if ((op == AIRLOCK_FORK && forked) || (op == AIRLOCK_EXEC && i != header->steps - 1))
			return false;
		// Start writes the maps, of the process that it knows, and from the parent of the new namespace. For that, and to set
		// clocks, the process is dumpable for a moment, which it must not be in a stranger's user namespace.
		bool user = op == AIRLOCK_UNSHARE && step->value & CLONE_NEWUSER;
		bool clocks = op == AIRLOCK_UNSHARE && step->size;
		if ((user && forked) || ((user || clocks) && joined))
			return false;
		// These take files of /proc, which must not be a target's.
		if ((clocks || op == AIRLOCK_ATTACH) && roots)
			return false;
		bool root = op == AIRLOCK_CHROOT || (op == AIRLOCK_JOIN && step->value & CLONE_NEWNS);
		bool directory = root || op == AIRLOCK_CHDIR || op == AIRLOCK_MOUNT || op == AIRLOCK_ATTACH;
		// The process that goes to the target's root in our place shares our directories, and is our child. A new mount or user
		// namespace ends the sharing, unshare(2) and setns(2), and so does a fork.
		bool parts = op == AIRLOCK_FORK || ((op == AIRLOCK_UNSHARE || op == AIRLOCK_JOIN) && step->value & (CLONE_NEWNS | CLONE_NEWUSER));
		forked |= op == AIRLOCK_FORK;
		roots |= root;
		run->mounts |= op == AIRLOCK_JOIN && step->value & CLONE_NEWNS;
		joined |= op == AIRLOCK_JOIN && step->value & CLONE_NEWUSER;
		run->dies |= op == AIRLOCK_DIEWITHCALLER;
		if (op == AIRLOCK_EXEC)
			run->program = run->data + step->start;
		// By then a process that goes on into Go is back under the caller's root.
		if ((directory || parts || clocks) && lowered)
			misplaced = true;
		lowered |= (op == AIRLOCK_SETUID && step->value) || op == AIRLOCK_SETCAPS;
	}
	run->flips = roots && !run->program;
	if (run->flips && misplaced)
		return false;
	return true;
}

int airlock_receive(struct airlock_run *run)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof run->files)];
	struct iovec bytes = {.iov_base = buffer, .iov_len = sizeof buffer};
	struct msghdr message = {
		.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};

	// The plan was sent before this program was started: there is nothing to wait for, and a descriptor that is
	// something else cannot make us hang.
	ssize_t size = recvmsg(run->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (size < 0)
		return errno;
	unsigned files = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		files = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(run->files, CMSG_DATA(c), files * sizeof(int));
	}
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return EMSGSIZE;
	return airlock_check(run, buffer, (size_t)size, files) ? 0 : EBADMSG;
}

bool airlock_report(const struct airlock_run *run, uint32_t outcome, uint32_t step, uint32_t left, int error)
{
	if (run->header.name != AIRLOCK_NONE)
		return outcome != AIRLOCK_UNMAPPED && outcome != AIRLOCK_AWAITING;
	const struct airlock_report report = {
		.magic = AIRLOCK_MAGIC, .outcome = outcome, .step = step, .left = left, .error = error};
	return send(run->socket, &report, sizeof report, MSG_NOSIGNAL) == sizeof report;
}

const struct airlock_type airlock_types[AIRLOCK_TYPES] = {
	{"cgroup", 0x02000000}, {"ipc", 0x08000000},  {"mnt", 0x00020000},  {"net", 0x40000000},
	{"pid", 0x20000000},    {"time", 0x00000080}, {"user", 0x10000000}, {"uts", 0x04000000},
};

static void print_types(uint32_t types)
{
	const char *comma = "";
	for (int i = 0; i < AIRLOCK_TYPES; i++)
		if (types & airlock_types[i].type) {
			dprintf(STDERR_FILENO, "%s%s", comma, airlock_types[i].name);
			comma = ",";
		}
}

// print prints an error for a person. The label says what was tried, with "@" for the namespaces, and what to do if it is not
// permitted or something is not there.
static void print(const struct airlock_run *run, uint32_t step, uint32_t left, int error)
{
	const char *name = run->data + run->header.name;
	if (step >= run->header.steps || run->steps[step].label == AIRLOCK_NONE) {
		dprintf(STDERR_FILENO, "%s: %s\n", name, strerror(error));
		return;
	}
	const char *label = run->data + run->steps[step].label, *advice = label + strlen(label) + 1;
	uint32_t op = run->steps[step].op;
	const char *at = op == AIRLOCK_JOIN || op == AIRLOCK_UNSHARE ? strchr(label, '@') : NULL;
	if (at) {
		dprintf(STDERR_FILENO, "%s: %.*s", name, (int)(at - label), label);
		print_types(left ? left : run->steps[step].value);
		dprintf(STDERR_FILENO, "%s: %s\n", at + 1, strerror(error));
	} else {
		dprintf(STDERR_FILENO, "%s: %s: %s\n", name, label, strerror(error));
	}
	if (*advice && (error == EPERM || error == ENOENT || error == ENOMEM))
		dprintf(STDERR_FILENO, "%s: %s\n", name, advice);
}

void airlock_fail(const struct airlock_run *run, uint32_t step, uint32_t left, int error)
{
	airlock_report(run, AIRLOCK_FAILED, step, left, error);
	if (run->header.name == AIRLOCK_NONE)
		_exit(1);
	print(run, step, left, error);
	bool executing = step < run->header.steps && run->steps[step].op == AIRLOCK_EXEC;
	_exit(!executing ? 1 : error == ENOENT ? 127 : 126); // env(1)
}
