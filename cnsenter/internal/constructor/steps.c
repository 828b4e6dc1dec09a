// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// join_each joins the types in *left one by one, user last. Types that are refused with EPERM stay in *left.
// It returns 0 or the errno of the type that is then alone in *left.
static int join_each(int file, uint32_t *left)
{
	for (int user = 0; user < 2; user++)
		for (uint32_t type = 1; type; type <<= 1) {
			if (!(*left & type) || user != (type == CLONE_NEWUSER))
				continue;
			if (setns(file, (int)type) == 0) {
				*left &= ~type;
			} else if (errno != EPERM) {
				*left = type;
				return errno;
			}
		}
	return 0;
}

// join takes the consecutive joins from step first up to end as one group. Which of a set of namespaces can be joined before
// the user namespace and which only after it depends on who owns them, user_namespaces(7); so what is refused with EPERM is
// tried again for as long as another join of the group gets on. In the end all are joined, or the plan fails.
static void join(const struct airlock_run *run, uint32_t first, uint32_t end)
{
	uint32_t left[AIRLOCK_MAX_STEPS];
	for (uint32_t i = first; i < end; i++)
		left[i] = run->steps[i].value;
	for (;;) {
		bool moved = false;
		uint32_t refused = end;
		for (uint32_t i = first; i < end; i++) {
			if (!left[i])
				continue;
			uint32_t before = left[i];
			int file = run->files[run->steps[i].file];
			// A mask of several types is a pidfd's, and all or nothing, setns(2).
			if (setns(file, (int)left[i]) == 0) {
				left[i] = 0;
			} else if (before & (before - 1)) {
				int error = join_each(file, &left[i]);
				if (error)
					airlock_fail(run, i, left[i], error);
			} else if (errno != EPERM) {
				airlock_fail(run, i, left[i], errno);
			}
			moved |= left[i] != before;
			if (left[i] && refused == end)
				refused = i;
		}
		if (refused == end)
			return;
		if (!moved)
			airlock_fail(run, refused, left[refused], EPERM);
	}
}

// ask waits until Start has done what the outcome asks for: has written the id maps of the user namespace that was just made, say.
// Start's end of the socket closes when it is gone or gives up. While the process is not dumpable its /proc files are root's,
// proc_pid(5); it stays so among strangers.
static void ask(const struct airlock_run *run, uint32_t outcome, uint32_t step)
{
	char answer;
	if (!run->joined)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (!airlock_report(run, outcome, step, 0, 0) || recv(run->socket, &answer, 1, 0) != 1)
		_exit(1);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static const char *next_text(const char *text)
{
	return text + strlen(text) + 1;
}

// write_text writes text to the file at path below a directory.
static int write_text(int directory, const char *path, const char *text)
{
	int file = openat(directory, path, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	size_t size = strlen(text);
	int result = write(file, text, size) == (ssize_t)size ? 0 : -1;
	int error = errno;
	close(file);
	errno = error;
	return result;
}

// set_clocks sets the clocks of the time namespace that the next child will be in, time_namespaces(7).
static int set_clocks(const char *offsets)
{
	return write_text(AT_FDCWD, "/proc/self/timens_offsets", offsets);
}

// make enters new namespaces.
static int make(const struct airlock_run *run, uint32_t index)
{
	const struct airlock_step *step = &run->steps[index];
	if (unshare((int)step->value) < 0)
		return -1;
	if (step->value & CLONE_NEWUSER)
		ask(run, AIRLOCK_UNMAPPED, index);
	if (!step->size)
		return 0;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	int result = set_clocks(run->data + step->start);
	int error = errno;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	errno = error;
	return result;
}

// lower prepares a step that may take privileges away: the one to go to the target's root when Go has started, and those that a
// later step means to keep, which a change of uid would clear.
static void lower(struct airlock_run *run, uint32_t index)
{
	const struct airlock_step *step = &run->steps[index];
	bool loses = step->op == AIRLOCK_SETCAPS || (step->op == AIRLOCK_SETUID && step->value != 0);
	if (run->home >= 0 && loses) {
		int error = airlock_leave_root(run, true);
		if (error)
			airlock_fail(run, AIRLOCK_STAGE_ROOT, 0, error);
	}
	if (step->op != AIRLOCK_SETUID)
		return;
	for (uint32_t i = index; i < run->header.steps; i++)
		if (run->steps[i].op == AIRLOCK_SETCAPS)
			prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

// change_root and change_dir go to a directory that is open, or to a path as it reads at this step.
static int change_dir(const struct airlock_run *run, const struct airlock_step *step)
{
	if (step->file != AIRLOCK_NONE)
		return fchdir(run->files[step->file]);
	return chdir(run->data + step->start);
}

static int change_root(const struct airlock_run *run, const struct airlock_step *step)
{
	return change_dir(run, step) == 0 ? chroot(".") : -1;
}

// A working directory that its root does not hold is a way out of the root, and an unreachable one a way out of the mount
// namespace: getcwd(2) tells both by a path that is not absolute. glibc's function of that name would look for another.
static int check_dir(void)
{
	char path[PATH_MAX];
	if (syscall(SYS_getcwd, path, sizeof path) < 0)
		return -1;
	if (path[0] == '/')
		return 0;
	errno = ENOENT;
	return -1;
}

// Where setgroups is denied, user_namespaces(7), groups cannot be dropped, so that nobody gains what a group is refused. Who may
// not drop them for want of the capability has failed.
static int drop_groups(void)
{
	return setgroups(0, NULL) == 0 || (errno == EPERM && airlock_may_setgid()) ? 0 : -1;
}

void airlock_steps(struct airlock_run *run)
{
	for (uint32_t i = 0; i < run->header.steps; i++) {
		const struct airlock_step *step = &run->steps[i];
		uint32_t end = i;
		int result = 0;
		airlock_pause("step", i);
		switch ((enum airlock_op)step->op) {
		case AIRLOCK_JOIN:
			while (end < run->header.steps && run->steps[end].op == AIRLOCK_JOIN)
				end++;
			join(run, i, end);
			for (; i < end; i++)
				run->joined |= run->steps[i].value & CLONE_NEWUSER;
			i = end - 1;
			break;
		case AIRLOCK_UNSHARE:
			result = make(run, i);
			break;
		case AIRLOCK_FORK:
			airlock_fork(run, i);
			break;
		case AIRLOCK_CGROUP:
			result = write(run->files[step->file], "0", 1) == 1 ? 0 : -1;
			break;
		case AIRLOCK_CHROOT:
			result = change_root(run, step);
			break;
		case AIRLOCK_CHDIR:
			result = change_dir(run, step);
			if (result == 0 && !step->value)
				result = check_dir();
			break;
		case AIRLOCK_SETSID:
			result = getsid(0) == getpid() ? 0 : setsid();
			break;
		case AIRLOCK_TERMINAL:
			result = ioctl(STDIN_FILENO, TIOCSCTTY, 0);
			run->terminal = true;
			break;
		case AIRLOCK_SETGROUPS:
			result = setgroups(step->size / sizeof(gid_t), (const gid_t *)(const void *)(run->data + step->start));
			break;
		case AIRLOCK_DROPGROUPS:
			result = drop_groups();
			break;
		case AIRLOCK_SETGID:
			result = setresgid(step->value, step->value, step->value);
			break;
		case AIRLOCK_SETUID:
			lower(run, i);
			result = setresuid(step->value, step->value, step->value);
			break;
		case AIRLOCK_SETCAPS:
			lower(run, i);
			result = airlock_set_caps(run->data + step->start);
			break;
		case AIRLOCK_NONEWPRIVS:
			result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			break;
		case AIRLOCK_MOUNT:
			result = airlock_mount(run->data + step->start, step->value);
			break;
		case AIRLOCK_ATTACH:
			result = airlock_attach(run->files[step->file], run->data + step->start);
			break;
		case AIRLOCK_WRITE:
			result = write_text(run->files[step->file], run->data + step->start, next_text(run->data + step->start));
			break;
		case AIRLOCK_AWAIT:
			ask(run, AIRLOCK_AWAITING, i);
			break;
		case AIRLOCK_DIEWITHCALLER: // these come after the last step, see constructor.c
		case AIRLOCK_EXEC:
		case AIRLOCK_OPS:
			break;
		}
		if (result < 0)
			airlock_fail(run, i, 0, errno);
	}
}
