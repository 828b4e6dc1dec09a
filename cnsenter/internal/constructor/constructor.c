// SPDX-License-Identifier: Apache-2.0

//go:build linux

// The constructor: it runs before the Go runtime, while the process has one thread, and carries out the plan that the
// variable announces. Without the variable it does nothing. With it, either every step is taken or main() is not reached.

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

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

static _Noreturn void refuse(const char *variable, const char *why)
{
	dprintf(STDERR_FILENO, "airlock: %s: %s\n", variable, why);
	_exit(1);
}

// open_standard opens the null device as descriptors 0, 1 and 2 where they are closed. What the steps open would get these numbers,
// and the Go runtime, which opens it otherwise, would not find it under the root directory that it starts under.
static void open_standard(void)
{
	int fd;
	while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		fcntl(fd, F_SETFD, 0);
	close(fd);
}

// name_process gives the process the name that it would have if it had been executed by argv[0], not by a descriptor.
static void name_process(const char *path)
{
	if (!path)
		return;
	const char *slash = strrchr(path, '/');
	prctl(PR_SET_NAME, slash ? slash + 1 : path, 0, 0, 0);
}

// carry_out takes the steps, and returns if the process goes on into Go.
static void carry_out(struct airlock_run *run, char **argv)
{
	int error = 0;
	name_process(argv[0]);
	if (run->flips && (run->home = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		airlock_fail(run, AIRLOCK_STAGE_ROOT, 0, errno);
	airlock_pause("guard", 0);
	if ((error = guard(run)))
		airlock_fail(run, AIRLOCK_STAGE_GUARD, 0, error);
	airlock_steps(run);

	airlock_pause("tie", 0);
	for (uint32_t i = 0; i < run->header.files; i++)
		close(run->files[i]);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || (error = outlive_nobody(run)))
		airlock_fail(run, AIRLOCK_STAGE_GUARD, 0, error ? error : errno);

	airlock_pause("report", 0);
	if (run->flips) {
		if (run->home >= 0 && (error = airlock_leave_root(run, false)))
			airlock_fail(run, AIRLOCK_STAGE_ROOT, 0, error);
		alarm(AIRLOCK_BELT); // should the runtime hang all the same
		airlock_rest.run = *run;
		return; // airlock_finish reports
	}
	if (!airlock_report(run, AIRLOCK_DONE, 0, 0, 0))
		_exit(1); // nobody waits for us any more
	if (run->program) {
		drop_erased();
		airlock_pause("execute", 0);
		execvpe(run->program, argv, environ);
		airlock_fail(run, run->header.steps - 1, 0, errno);
	}
	close(run->socket);
}

// descriptor returns the number that value is, or -1.
static int descriptor(const char *value)
{
	size_t digits = strspn(value, "0123456789");
	if (!digits || digits > 9 || value[digits])
		return -1;
	return atoi(value);
}

// receive gets the plan off the socket that the variable announces. It returns 0 or an errno.
static int receive(struct airlock_run *run, const char *value)
{
	run->socket = descriptor(value);
	if (run->socket < 0)
		return EBADF;
	// What is above the socket is the file that we were executed by, and what was leaked by somebody.
	int error = airlock_close_from((unsigned)run->socket + 1);
	if (!error)
		error = airlock_receive(run);
	if (!error)
		fcntl(run->socket, F_SETFD, FD_CLOEXEC);
	return error;
}

#ifdef __GLIBC__
#define ARGUMENTS int argc, char **argv // given to constructors
#else
#define ARGUMENTS void
#endif

// Priority 101 is the first that is not reserved: no other constructor has run in the caller's namespaces by then.
__attribute__((constructor(101))) static void airlock_constructor(ARGUMENTS)
{
	const char *variable = AIRLOCK_VARIABLE, *value = getenv(variable);
	if (!value && &airlock_opted_in)
		value = getenv(variable = AIRLOCK_JOIN_VARIABLE);
	if (!value)
		return;
	char given[AIRLOCK_MAX_JOIN];
	size_t length = strlen(value);
	memcpy(given, value, length < sizeof given ? length + 1 : 1);
	erase(variable);
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

	struct airlock_run run = {.socket = -1, .relay = -1, .home = -1};
	if (length >= sizeof given)
		refuse(variable, "too long");
	if (strcmp(variable, AIRLOCK_VARIABLE)) {
		open_standard();
		if (!airlock_parse_joins(&run, given))
			refuse(variable, "not a list of type=path");
	} else {
		int error = receive(&run, given);
		if (error) {
			snprintf(given, sizeof given, "no plan there: %s", strerror(error));
			refuse(variable, given);
		}
	}
	carry_out(&run, argv);
}
