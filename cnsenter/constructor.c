// SPDX-License-Identifier: Apache-2.0

//go:build linux

// The constructor: it runs before the Go runtime, while the process has one thread, and carries out the plan that the
// variable announces. Without the variable it does nothing. With it, either every step is taken or main() is not reached.

#define _GNU_SOURCE
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436 // the same on every architecture
#endif

#ifndef PROC_SUPER_MAGIC
#define PROC_SUPER_MAGIC 0x9fa0 // linux/magic.h, which musl-gcc does not see
#endif

extern char **environ;

// glibc loads the NSS modules that nsswitch.conf(5) names when they are first asked for: after a mount namespace was joined
// that is code of the target. The module "files" is part of libc. Absent in other libcs, which load nothing.
extern int __nss_configure_lookup(const char *database, const char *service) __attribute__((weak));

static void pin_nss(void)
{
	static const char *const databases[] = {"aliases", "ethers", "group", "gshadow", "hosts", "initgroups", "netgroup",
						"networks", "passwd", "protocols", "publickey", "rpc", "services", "shadow"};
	if (!__nss_configure_lookup)
		return;
	for (size_t i = 0; i < sizeof databases / sizeof *databases; i++)
		__nss_configure_lookup(databases[i], "files");
}

// close_listed is for kernels before 5.9. What is not procfs would not list all descriptors.
static int close_listed(unsigned first)
{
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		return errno;
	struct statfs fs;
	int error = fstatfs(dirfd(dir), &fs) < 0 ? errno : fs.f_type != PROC_SUPER_MAGIC ? ENOSYS : 0;
	for (struct dirent *entry; !error && (entry = readdir(dir));) {
		unsigned fd = (unsigned)strtoul(entry->d_name, NULL, 10);
		if (fd >= first && fd != (unsigned)dirfd(dir))
			close((int)fd);
	}
	closedir(dir);
	return error;
}

int airlock_close_from(unsigned first)
{
	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return 0;
	return errno == ENOSYS ? close_listed(first) : errno;
}

// guard prepares the process for being seen by a hostile target. Unless it is not dumpable before it joins a user namespace,
// that namespace's root may trace it, ptrace(2), while it still is who it was outside.
static int guard(const struct airlock_run *run)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL); // ignored, waitpid(2) fails
	signal(SIGPIPE, SIG_DFL);
	if (run->mounts)
		pin_nss();
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? errno : 0;
}

// outlive_nobody ties the process to its relay or, if the plan says so, to the thread that called Start. Every change of ids clears
// the signal, so it comes after all steps; the parent may be gone by then, which getppid(2) does not tell across PID namespaces,
// but the descriptor that it had the other end of does.
static int outlive_nobody(const struct airlock_run *run)
{
	if (run->relay < 0 && !run->dies)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return errno;
	struct pollfd parent = {.fd = run->relay >= 0 ? run->relay : run->socket};
	if (poll(&parent, 1, 0) != 0)
		_exit(1);
	if (run->relay >= 0 && !run->program)
		close(run->relay); // closed by execve(2) otherwise, which tells the relay of it
	return 0;
}

// erase takes the variable out of the environment, and leaves an empty string: the kernel puts the auxiliary vector, getauxval(3),
// behind the environment, and the Go runtime would not find it any more behind one that is shorter, as unsetenv(3) makes it.
// Go passes over empty strings. So does drop_erased, for a program that is executed.
static void erase(const char *name)
{
	size_t length = strlen(name);
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, name, length) && (*e)[length] == '=')
			memset(*e, 0, strlen(*e));
}

static void drop_erased(void)
{
	char **to = environ;
	for (char **e = environ; *e; e++)
		if (**e)
			*to++ = *e;
	*to = NULL;
}

static _Noreturn void refuse(const char *value, int error)
{
	dprintf(STDERR_FILENO, "airlock: %s=%s: no plan there: %s\n", AIRLOCK_VARIABLE, value, strerror(error));
	_exit(1);
}

// descriptor returns the number that value is, or -1.
static int descriptor(const char *value)
{
	size_t digits = strspn(value, "0123456789");
	if (!digits || digits > 9 || value[digits])
		return -1;
	return atoi(value);
}

#ifdef __GLIBC__
#define ARGUMENTS int argc, char **argv // given to constructors
#else
#define ARGUMENTS void
#endif

// Priority 101 is the first that is not reserved: no other constructor has run in the caller's namespaces by then.
__attribute__((constructor(101))) static void airlock_constructor(ARGUMENTS)
{
	const char *given = getenv(AIRLOCK_VARIABLE);
	if (!given)
		return;
	char value[24]; // longer than any descriptor's number
	snprintf(value, sizeof value, "%s", given);
	erase(AIRLOCK_VARIABLE);
	if (getauxval(AT_SECURE))
		return;
#ifdef __GLIBC__
	(void)argc;
#else
	// The kernel places the number of arguments, the arguments, NULL, and the environment in a row.
	char **argv = environ - 1;
	for (long count = 0; (long)argv[-1] != count; count++)
		argv--;
#endif

	struct airlock_run run = {.socket = descriptor(value), .relay = -1, .home = -1};
	if (run.socket < 0)
		refuse(value, EBADF);
	// The socket is the last descriptor that Start gave us. What is above it was leaked by somebody.
	int error = airlock_close_from((unsigned)run.socket + 1);
	if (!error)
		error = airlock_receive(&run);
	if (error)
		refuse(value, error);
	fcntl(run.socket, F_SETFD, FD_CLOEXEC);

	if (run.flips && (run.home = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		airlock_fail(&run, AIRLOCK_STAGE_ROOT, 0, errno);
	error = guard(&run);
	if (error)
		airlock_fail(&run, AIRLOCK_STAGE_GUARD, 0, error);
	airlock_steps(&run);

	for (uint32_t i = 0; i < run.header.files; i++)
		close(run.files[i]);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || (error = outlive_nobody(&run)))
		airlock_fail(&run, AIRLOCK_STAGE_GUARD, 0, error ? error : errno);

	if (run.flips) {
		error = run.home >= 0 ? airlock_leave_root(&run, false) : 0;
		if (error)
			airlock_fail(&run, AIRLOCK_STAGE_ROOT, 0, error);
		alarm(AIRLOCK_BELT); // should the runtime hang all the same
		airlock_rest.socket = run.socket; // Go reports
		return;
	}
	if (!airlock_report(&run, AIRLOCK_DONE, 0, 0, 0))
		_exit(1); // nobody waits for us any more
	if (run.program) {
		drop_erased();
		execvpe(run.program, argv, environ);
		airlock_fail(&run, run.header.steps - 1, 0, errno);
	}
	close(run.socket);
}
