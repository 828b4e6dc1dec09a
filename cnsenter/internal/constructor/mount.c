// SPDX-License-Identifier: Apache-2.0

//go:build linux

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

// Linux 5.2; the numbers are the same on every architecture, and not every libc knows them.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif

enum {
	TREE_CLONE = 1,		  // OPEN_TREE_CLONE
	TREE_RECURSIVE = 0x8000,  // AT_RECURSIVE
	FROM_EMPTY_PATH = 0x4,	  // MOVE_MOUNT_F_EMPTY_PATH
};

int airlock_mount(const char *texts, unsigned flags)
{
	const char *parts[4]; // source, path, type, data; mount(2) has NULL for none
	for (int i = 0; i < 4; i++) {
		parts[i] = *texts ? texts : NULL;
		texts += strlen(texts) + 1;
	}
	return mount(parts[0], parts[1], parts[2], flags, parts[3]);
}

// copy_tree returns a detached copy of all that is mounted in the mount namespace, open_tree(2), which is there for those in it only.
static int copy_tree(int namespace)
{
	if (setns(namespace, CLONE_NEWNS) < 0)
		return -1;
	return (int)syscall(SYS_open_tree, AT_FDCWD, "/", TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);
}

// go_back enters the mount namespace, and the root and working directory in it that setns(2) took away.
static int go_back(int namespace, int root, int cwd)
{
	if (setns(namespace, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0)
		return -1;
	return fchdir(cwd);
}

int airlock_attach(int namespace, const char *path)
{
	const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
	int tree = -1, result = -1;
	int here = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), root = open("/", flags), cwd = open(".", flags);
	if (here >= 0 && root >= 0 && cwd >= 0 && (tree = copy_tree(namespace)) >= 0 && go_back(here, root, cwd) == 0)
		result = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, FROM_EMPTY_PATH);
	int error = errno;
	const int opened[] = {here, root, cwd, tree};
	for (int i = 0; i < 4; i++)
		if (opened[i] >= 0)
			close(opened[i]);
	errno = error;
	return result;
}
