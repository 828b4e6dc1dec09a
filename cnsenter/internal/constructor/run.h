// SPDX-License-Identifier: Apache-2.0

#ifndef AIRLOCK_RUN_H
#define AIRLOCK_RUN_H

#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define AIRLOCK_HIDDEN __attribute__((visibility("hidden")))
#define AIRLOCK_JOIN_VARIABLE "AIRLOCK_JOIN"

enum { AIRLOCK_MAX_JOIN = 8 << 10 }; // bytes in it

// A plan on its way: what was received, checked, and opened while it is carried out.
struct airlock_run {
	int socket;
	int files[AIRLOCK_MAX_FILES];
	struct airlock_header header;
	const struct airlock_step *steps;
	const char *data;
	bool mounts;         // a mount namespace is joined
	bool flips;          // the root directory changes, and Go goes on in the process
	const char *program; // to execute after the last step, or NULL
	bool dies;           // with the thread that called Start
	bool joined;         // a user namespace that somebody else made
	bool terminal;       // standard input is the controlling terminal of the session
	int relay;           // end of a socket pair with the relay, or -1
	int home;            // the directory to be the root while Go starts, until it is; or -1
};

// What a process that goes on into Go has still to do, by airlock_finish. The root is -1 when that is nothing.
struct airlock_rest {
	struct airlock_run run;
	int root;   // becomes the root directory
	int cwd;    // becomes the working directory
	int helper; // socket of the process that changes them for us, or -1: we may do it ourselves
	int pid;    // of that process
};

extern AIRLOCK_HIDDEN struct airlock_rest airlock_rest;

// The namespace types, with their names in /proc/PID/ns and their CLONE_NEW* bits.
struct airlock_type {
	const char *name;
	uint32_t type;
};

enum { AIRLOCK_TYPES = 8 };

extern AIRLOCK_HIDDEN const struct airlock_type airlock_types[AIRLOCK_TYPES];

// airlock_check reports whether the size bytes at plan are a well-formed plan that comes with the given number of files,
// and points run at its parts.
AIRLOCK_HIDDEN bool airlock_check(struct airlock_run *run, const void *plan, size_t size, unsigned files);

// airlock_receive takes the plan and its files off the socket, and does not wait for them.
// It returns 0 or an errno.
AIRLOCK_HIDDEN int airlock_receive(struct airlock_run *run);

// airlock_opted_in is there if the program imports package atstart: then whoever starts it may have it join namespaces, by the
// variable AIRLOCK_JOIN.
extern AIRLOCK_HIDDEN const char airlock_opted_in __attribute__((weak));

// airlock_parse_joins makes a plan of the value of AIRLOCK_JOIN, which is shorter than AIRLOCK_MAX_JOIN, and opens its files. It returns
// false if the value is not well-formed.
AIRLOCK_HIDDEN bool airlock_parse_joins(struct airlock_run *run, const char *value);

// airlock_report sends one report. It returns false when nobody is there to read it.
AIRLOCK_HIDDEN bool airlock_report(const struct airlock_run *run, uint32_t outcome, uint32_t step, uint32_t left, int error);

// airlock_fail reports that a step failed, and ends the process.
AIRLOCK_HIDDEN _Noreturn void airlock_fail(const struct airlock_run *run, uint32_t step, uint32_t left, int error);

// airlock_steps takes every step of the plan, or fails.
AIRLOCK_HIDDEN void airlock_steps(struct airlock_run *run);

// airlock_fork forks. The child returns; the parent becomes the relay, which does not.
AIRLOCK_HIDDEN void airlock_fork(struct airlock_run *run, uint32_t step);

// airlock_leave_root goes under run->home for the time in which Go starts, and leaves in airlock_rest what leads back. It is called once,
// before a step that may take the privilege to chroot away; then a helper process is left that has it. It returns 0 or an errno.
AIRLOCK_HIDDEN int airlock_leave_root(struct airlock_run *run, bool helper);

// airlock_finish goes back, with all threads that there are by now: they share the directories. It reports, or fails.
AIRLOCK_HIDDEN void airlock_finish(void);

// airlock_close_but closes every descriptor but three, of which some may be -1: what a process that stays beside the program must
// not hold.
AIRLOCK_HIDDEN void airlock_close_but(int a, int b, int c);

// airlock_set_caps sets the capability sets of the process, from a struct airlock_caps. It returns 0, or -1 with errno.
AIRLOCK_HIDDEN int airlock_set_caps(const void *bytes);

// airlock_may_setgid reports whether the process has CAP_SETGID in its user namespace. It leaves errno alone.
AIRLOCK_HIDDEN bool airlock_may_setgid(void);

// airlock_pause gives tests the time to kill the process at a place, see pause.c.
#ifdef AIRLOCK_PAUSE
AIRLOCK_HIDDEN void airlock_pause(const char *place, unsigned index);
#else
static inline void airlock_pause(const char *place, unsigned index)
{
	(void)place;
	(void)index;
}
#endif

// airlock_mount mounts what four texts say, as mount(2) takes them: source, path, type and data. It returns 0, or -1 with errno.
AIRLOCK_HIDDEN int airlock_mount(const char *texts, unsigned flags);

// airlock_attach mounts the root of a mount namespace, with all that is mounted below, at path. It returns 0, or -1 with errno.
AIRLOCK_HIDDEN int airlock_attach(int namespace, const char *path);

// airlock_close_from closes every descriptor from first on. It returns 0 or an errno.
AIRLOCK_HIDDEN int airlock_close_from(unsigned first);

#endif
