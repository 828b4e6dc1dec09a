// SPDX-License-Identifier: Apache-2.0

// The messages between Plan.Start and the constructor. This is their only definition: Go builds and reads them
// through cgo with these very types, so the two sides cannot differ.
//
// Both go over one SOCK_SEQPACKET socket, in native byte order, a message a packet. Start sends the plan,
// with its open files as SCM_RIGHTS, before the program is started; the program answers with reports.

#ifndef AIRLOCK_WIRE_H
#define AIRLOCK_WIRE_H

#include <stdint.h>

#define AIRLOCK_VARIABLE "AIRLOCK_PLAN"
#define AIRLOCK_MAGIC 0x616c6b31u // the "1" is the version
#define AIRLOCK_NONE UINT32_MAX

enum {
	AIRLOCK_MAX_STEPS = 64,
	AIRLOCK_MAX_FILES = 64, // below SCM_MAX_FD, 253
	AIRLOCK_MAX_PLAN = 64 << 10,
	AIRLOCK_BELT = 10, // seconds that a Go runtime may take to start after a mount namespace was joined
};

enum airlock_op {
	AIRLOCK_JOIN = 1,
	AIRLOCK_UNSHARE,
	AIRLOCK_FORK,
	AIRLOCK_CGROUP,
	AIRLOCK_CHROOT,
	AIRLOCK_CHDIR,
	AIRLOCK_SETSID,
	AIRLOCK_TERMINAL,
	AIRLOCK_SETGROUPS,
	AIRLOCK_DROPGROUPS,
	AIRLOCK_SETGID,
	AIRLOCK_SETUID,
	AIRLOCK_SETCAPS,
	AIRLOCK_NONEWPRIVS,
	AIRLOCK_MOUNT,
	AIRLOCK_ATTACH,
	AIRLOCK_WRITE,
	AIRLOCK_DIEWITHCALLER,
	AIRLOCK_AWAIT,
	AIRLOCK_EXEC,
	AIRLOCK_OPS, // their number, plus one
};

// A plan is this header, its steps, and data that the steps point into.
struct airlock_header {
	uint32_t magic;
	uint32_t steps;
	uint32_t files; // that travel with the plan
	uint32_t data;  // bytes
	uint32_t name;  // where in the data the name stands under which errors are printed, because nobody reads reports; or AIRLOCK_NONE
};

struct airlock_step {
	uint32_t op;
	uint32_t file;  // index into the files, or AIRLOCK_NONE
	uint32_t value; // namespace types, a uid, a gid, mount flags, or 1 for a directory that may lie outside
	uint32_t start; // of the step's data
	uint32_t size;
	uint32_t label; // where in the data stands what to say if it fails, in two texts; or AIRLOCK_NONE
};

// The data of AIRLOCK_SETCAPS: sets as capabilities(7) numbers them.
struct airlock_caps {
	uint64_t effective, permitted, inheritable, ambient, bounding;
};

enum airlock_outcome {
	AIRLOCK_DONE = 1, // every step is taken; a program to execute is the last thing left
	AIRLOCK_FAILED,
	AIRLOCK_EXECUTED, // sent by the relay, for a program that was executed behind it
	AIRLOCK_UNMAPPED, // a user namespace was made: Start writes its id maps and answers with one byte
	AIRLOCK_AWAITING,   // as the plan wants: Start does what is to be done meanwhile, and answers with one byte
};

// Stages around the steps, reported in the place of a step's index.
enum airlock_stage {
	AIRLOCK_STAGE_GUARD = AIRLOCK_MAX_STEPS, // making the process unreadable, tying it to its relay
	AIRLOCK_STAGE_ROOT,                      // leaving the target's root directory and coming back to it
};

struct airlock_report {
	uint32_t magic;
	uint32_t outcome;
	uint32_t step; // index of the failed step, or a stage
	uint32_t left; // namespace types that a failed join has not joined
	int32_t error; // errno
};

#endif
