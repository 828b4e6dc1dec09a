// SPDX-License-Identifier: Apache-2.0

//go:build linux

// The plan of a program that joins the namespaces which its environment names, see package atstart.

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = AIRLOCK_TYPES + 4 };

// The parts that a plan of Start's has in its message. Texts are the name for errors and, for each join, its label and an
// empty text.
static struct airlock_step steps[STEPS];
static char texts[sizeof AIRLOCK_JOIN_VARIABLE + AIRLOCK_MAX_JOIN + AIRLOCK_TYPES * sizeof "join @ of  "];

static uint32_t type_named(const char *name)
{
	for (int i = 0; i < AIRLOCK_TYPES; i++)
		if (!strcmp(name, airlock_types[i].name))
			return airlock_types[i].type;
	return 0;
}

static struct airlock_step *add(struct airlock_run *run, uint32_t op)
{
	struct airlock_step *step = &steps[run->header.steps++];
	*step = (struct airlock_step){.op = op, .file = AIRLOCK_NONE, .label = AIRLOCK_NONE};
	return step;
}

// add_join opens the namespace, without waiting should the path be a FIFO; joining tells whether it is one.
static void add_join(struct airlock_run *run, uint32_t type, const char *path)
{
	uint32_t index = run->header.steps;
	struct airlock_step *step = add(run, AIRLOCK_JOIN);
	step->file = run->header.files;
	step->value = type;
	step->label = run->header.data;
	char *label = texts + run->header.data;
	run->header.data += (uint32_t)snprintf(label, sizeof texts - run->header.data, "join @ of %s%c", path, 0) + 1;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		airlock_fail(run, index, type, errno);
	run->files[run->header.files++] = file;
}

bool airlock_parse_joins(struct airlock_run *run, const char *value)
{
	static char items[AIRLOCK_MAX_JOIN];
	strcpy(items, value); // no longer, see the caller
	uint32_t seen = 0;
	struct airlock_step user;
	bool has_user = false;
	run->steps = steps;
	run->data = texts;
	run->header.data = (uint32_t)snprintf(texts, sizeof texts, "%s", AIRLOCK_JOIN_VARIABLE) + 1;
	for (char *rest = items, *item; (item = strsep(&rest, ","));) {
		char *path = strchr(item, '=');
		if (!path)
			return false;
		*path++ = 0;
		uint32_t type = type_named(item);
		if (!type || seen & type)
			return false;
		seen |= type;
		add_join(run, type, path);
		if (type == CLONE_NEWUSER) {
			user = steps[--run->header.steps];
			has_user = true;
		}
	}
	if (has_user)
		steps[run->header.steps++] = user; // the last of the joins: most can be entered before it, if anything can
	if (seen & CLONE_NEWPID)
		add(run, AIRLOCK_FORK);
	if (has_user) {
		add(run, AIRLOCK_DROPGROUPS);
		add(run, AIRLOCK_SETGID);
		add(run, AIRLOCK_SETUID);
	}
	run->mounts = run->flips = seen & CLONE_NEWNS;
	return true;
}
