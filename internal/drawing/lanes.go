// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/airlock-ns/airlock/cnsenter"

// lane is one way to run code somewhere else, from top to bottom.
type lane struct {
	name, by     string // what it is called, and the identifier that leads there
	cost         string
	here, there  string // who does what stands on the left, and on the right
	rows         []row
	firstForeign int // index of the first row whose right side is inside the target's namespaces
}

// row is what happens at a time: on the left, on the right, and what goes from one to the other. A line in backquotes is code, one
// that begins with "# " is bold.
type row struct {
	left, right []string
	back        bool   // from right to left
	what, how   string // above and below the arrow; without what there is none
}

var lanes = []lane{
	{
		name: "cold", by: "reexec.In", cost: "a process for every call: milliseconds",
		here: "the caller", there: "a copy of the caller's program",
		firstForeign: 3,
		rows: []row{
			{left: []string{"`f.Call(ctx, reexec.In(target), in)`", "encodes in, and puts the request into a socket"}},
			{left: []string{"`launcher.Target.Plan`", "chooses namespaces and their order:", "`" + steps(entry...) + "`"}},
			{
				left: []string{"`cnsenter.Plan.Start`", "puts plan and namespaces into a second socket,", "starts this program's file, read-only or sealed"},
				what: "execve", how: "two numbers in its environment",
				right: []string{"# the constructor, before the Go runtime", "in C, on one thread: checks the plan", "`" + steps(cnsenter.OpGuard) + "`", "cannot be traced, has no other descriptors"},
			},
			{right: []string{"# the constructor takes the steps", "`" + steps(entry...) + "`", "or names the one that failed, and ends"}},
			{
				left: []string{"`nil, or a *cnsenter.Error`", "of the step: main never ran, and nothing is left"},
				back: true, what: steps(cnsenter.OpReport), how: "done, or the step and its errno",
				right: []string{"# the Go runtime starts", "under a root directory with no file for it to read", "`" + steps(cnsenter.OpRoot) + "`", "goes to the target's, before package os is initialised"},
			},
			{
				what: list(request), how: "has been waiting in the socket",
				right: []string{"`reexec.Init`", "first line of main: reads the request, decodes in,", "and runs the function"},
			},
			{
				left: []string{"`out, err`", "exact, or an error; the process has been reaped"},
				back: true, what: list(answer), how: "and exit status 0",
				right: []string{"# the function returns", "out or its error is encoded, and the process ends"},
			},
		},
	},
	{
		name: "warm", by: "reexec.Pool.On", cost: "a round trip on a socket: microseconds",
		here: "the caller", there: "a worker that a cold call has left inside",
		rows: []row{
			{
				left: []string{"`f.Call(ctx, pool.On(key, target), in)`", "finds a worker of this key that waits"},
				what: list(request), how: "",
				right: []string{"decodes in, and runs the function"},
			},
			{
				left: []string{"`out, err`"},
				back: true, what: list(answer), how: "",
				right: []string{"waits for the next call, if this one has left", "nothing behind; otherwise it ends"},
			},
		},
	},
	{
		name: "in-process", by: "ns.Do", cost: "no process: microseconds",
		here: "the goroutine of the caller", there: "a thread of its own, never the main thread",
		rows: []row{
			{
				left: []string{"`ns.Do(f, handles…)`", "waits; no other goroutine moves"},
				what: "f", how: "",
				right: []string{"enters net, uts, ipc, cgroup or mnt, for its", "children also pid; not user, not time"},
			},
			{
				left: []string{"`err`"},
				back: true, what: "error or panic of f", how: "",
				right: []string{"goes back and serves on; after mnt it ends"},
			},
		},
	},
}
