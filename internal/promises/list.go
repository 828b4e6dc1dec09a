// SPDX-License-Identifier: Apache-2.0

package main

// promises are what airlock promises. The tests of number n are called TestPromise, n in two digits, and more.
var promises = [...]string{
	"no descriptor beyond the contract in a worker or its children",
	"no leak over 10,000 calls",
	"no zombie, no orphan",
	"kill -9 of the caller at any point leaves no process within a second",
	"kill -9 of the worker or its relay: a prompt error that names the stage",
	"a result is exact or an error, never a part, never both",
	"memory is bounded",
	"noise on stdout and stderr is harmless",
	"huge parameters do not deadlock",
	"a daemon that keeps the pipes open does not hang the call",
	"cancellation always ends the call",
	"the plan parser is total",
	"the environment cannot inject a plan",
	"the control variable is gone before init functions and in children",
	"a join is all or nothing",
	"wrong objects are refused at once",
	"a reused pid cannot redirect",
	"a hostile target cannot hang the start",
	"a hostile target cannot inject code",
	"the target's root can neither inspect nor trace the worker",
	"our program can be neither overwritten nor read through /proc",
	"no privilege is left over",
	"the working directory is safe",
	"the terminal is safe",
	"order and ownership are as nsenter has them",
	"clocks and pids are the target's",
	"the caller's own threads never move",
	"it degrades, it does not break",
	"nothing abnormal looks like success",
	"not used, not paid",
	"the nsenter drop-in does what nsenter does",
}
