// SPDX-License-Identifier: Apache-2.0

//go:build linux

// While the Go runtime and libc start they open files, and after a mount namespace was joined those would be the target's: a FIFO
// among them would hang the process. So for that time its root directory is the caller's /proc, in which none of these files is
// found, although it is in the target's mount namespace. The first package of the program that is initialised, this one, takes it to the
// target's root directory.

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct airlock_rest airlock_rest = {.root = -1};

static int enter_root(void)
{
	return fchdir(airlock_rest.root) < 0 || chroot(".") < 0 || fchdir(airlock_rest.cwd) < 0 ? errno : 0;
}

// help waits for a word, changes the root directory and the working directory, and tells how that went.
static _Noreturn void help(int channel)
{
	char word;
	airlock_pause("helper", 0);
	if (read(channel, &word, 1) != 1)
		_exit(1); // who should give it is gone
	int error = enter_root();
	_exit(write(channel, &error, sizeof error) != sizeof error);
}

// start_helper leaves a process that shares our root and working directory, CLONE_FS, and has the privileges that we have now. It
// calls nothing but system calls, so what glibc knows of threads does not matter. It ends with its word, or with us.
static int start_helper(void)
{
	int channel[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		return errno;
	long pid = syscall(SYS_clone, (long)CLONE_FS, 0L, 0L, 0L, 0L); // no signal tells of its end
	if (pid < 0)
		return errno;
	if (pid == 0) {
		airlock_close_but(channel[0], airlock_rest.root, airlock_rest.cwd);
		help(channel[0]);
	}
	close(channel[0]);
	airlock_rest.helper = channel[1];
	airlock_rest.pid = (int)pid;
	return 0;
}

int airlock_leave_root(struct airlock_run *run, bool helper)
{
	airlock_rest.helper = -1;
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	airlock_rest.root = open("/", flags);
	if (airlock_rest.root < 0 || (airlock_rest.cwd = open(".", flags)) < 0)
		return errno;
	if (fchdir(run->home) < 0 || chroot(".") < 0)
		return errno;
	close(run->home);
	run->home = -1;
	return helper ? start_helper() : 0;
}

// ask_helper has the helper change the directories, which are its as well as ours, and reaps it.
static int ask_helper(void)
{
	int error, channel = airlock_rest.helper;
	if (write(channel, "", 1) != 1)
		return errno;
	ssize_t size = read(channel, &error, sizeof error);
	if (size != sizeof error)
		return size < 0 ? errno : EPIPE;
	close(channel);
	return waitpid(airlock_rest.pid, NULL, __WALL) < 0 ? errno : error;
}

void airlock_finish(void)
{
	airlock_pause("finish", 0);
	int error = airlock_rest.helper >= 0 ? ask_helper() : enter_root();
	if (error)
		airlock_fail(&airlock_rest.run, AIRLOCK_STAGE_ROOT, 0, error);
	close(airlock_rest.root);
	close(airlock_rest.cwd);
	alarm(0); // see airlock_leave_root
	if (!airlock_report(&airlock_rest.run, AIRLOCK_DONE, 0, 0, 0))
		_exit(1);
	close(airlock_rest.run.socket);
}
