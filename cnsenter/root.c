// SPDX-License-Identifier: Apache-2.0

//go:build linux

// While the Go runtime and libc start they open files, and after a mount namespace was joined those would be the target's. So the
// process goes back under the caller's root directory for that time, although it is in the target's mount namespace. Go's side
// is in finish.go.

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct airlock_rest airlock_rest = {.socket = -1, .root = -1, .cwd = -1, .helper = -1};

// help waits for Go's word, changes the root directory and the working directory, and tells how that went.
static _Noreturn void help(int channel)
{
	char word;
	if (read(channel, &word, 1) != 1)
		_exit(1); // Go is gone
	int32_t error = fchdir(airlock_rest.root) < 0 || chroot(".") < 0 || fchdir(airlock_rest.cwd) < 0 ? errno : 0;
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
