// SPDX-License-Identifier: Apache-2.0

//go:build linux

// A process that joined a PID namespace stays outside of it: only its children are born inside, pid_namespaces(7), and it can
// have no threads, so it cannot become a Go program. It forks, the child goes on, and it stays behind as the relay:
//
//	Start ──── socket ──── relay ──── pair ──── child
//
// The relay passes on the signals that are sent to it, stops, continues and ends as the child does, kills the child when
// Start's process is gone, and is outlived by nothing: the child has it as parent-death signal.

#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// end ends the relay in the way its child ended. No core is dumped: the relay is not dumpable.
static _Noreturn void end(const siginfo_t *child)
{
	if (child->si_code == CLD_EXITED)
		_exit(child->si_status);
	sigset_t one; // another that is pending might be first
	sigemptyset(&one);
	sigaddset(&one, child->si_status);
	signal(child->si_status, SIG_DFL);
	raise(child->si_status); // blocked until now
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + child->si_status);
}

// follow looks what has become of the child, and does the same.
static void follow(pid_t pid)
{
	for (;;) {
		siginfo_t child = {.si_pid = 0};
		if (waitid(P_PID, (id_t)pid, &child, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) < 0 || !child.si_pid)
			return;
		if (child.si_code == CLD_STOPPED)
			raise(SIGSTOP);
		else if (child.si_code != CLD_CONTINUED)
			end(&child);
	}
}

static _Noreturn void abandon(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	_exit(1);
}

// pass passes a signal on. One that the terminal sent to the process group, or the child, the child got already; if it is in another
// PID namespace the number of a sender is that of its own, and the child gets it twice. On the terminal it has a group of its own: what the leader of the session gets, a hangup, is for the
// child too. What has stopped a process group goes on as a group: the terminal stops all of it.
static void pass(const struct airlock_run *run, pid_t pid, const struct signalfd_siginfo *signal)
{
	if (signal->ssi_signo == SIGCHLD)
		follow(pid);
	else if ((signal->ssi_code == SI_KERNEL && !run->terminal) || signal->ssi_pid == (uint32_t)pid)
		return;
	else if (!run->terminal || signal->ssi_signo != SIGCONT || kill(-pid, SIGCONT) < 0)
		kill(pid, (int)signal->ssi_signo);
}

// come_forward makes the child the foreground process group of the session that the relay leads. Its process group is not
// orphaned then, so that the terminal can stop it. SIGTTOU, which who is not in the foreground gets, is blocked.
static int come_forward(void)
{
	return setpgid(0, 0) < 0 || tcsetpgrp(STDIN_FILENO, getpid()) < 0 ? errno : 0;
}

static _Noreturn void relay(const struct airlock_run *run, pid_t pid, int pair, const sigset_t *all)
{
	bool watched = run->header.name == AIRLOCK_NONE; // by Start
	airlock_close_but(pair, watched ? run->socket : -1, -1);
	airlock_pause("relay", 0);
	int signals = signalfd(-1, all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		abandon(pid);

	struct pollfd polled[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = watched ? run->socket : -1, .events = 0}, // POLLHUP is Start's end; its answers are the child's
		{.fd = pair, .events = POLLIN},
	};
	for (;;) {
		if (poll(polled, 3, -1) < 0 && errno != EINTR)
			abandon(pid);
		struct signalfd_siginfo signal;
		while (read(signals, &signal, sizeof signal) == sizeof signal)
			pass(run, pid, &signal);
		if (polled[1].revents)
			abandon(pid);
		if (polled[2].revents) { // the child has ended, which SIGCHLD tells, or executed its program
			follow(pid);
			if (run->program)
				airlock_report(run, AIRLOCK_EXECUTED, 0, 0, 0);
			close(pair);
			polled[2].fd = -1;
		}
	}
}

void airlock_fork(struct airlock_run *run, uint32_t step)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		airlock_fail(run, step, 0, errno);
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);

	// libc's fork, not clone(2): glibc and the Go runtime ask libc for the thread id, which only fork renews.
	pid_t pid = fork();
	if (pid < 0)
		airlock_fail(run, step, 0, errno);
	if (pid > 0) {
		close(pair[1]);
		relay(run, pid, pair[0], &all);
	}
	airlock_pause("child", 0);
	close(pair[0]);
	run->relay = pair[1];
	int error = run->terminal ? come_forward() : 0;
	if (error)
		airlock_fail(run, step, 0, error);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}
