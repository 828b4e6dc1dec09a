// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limitNames are the resources of getrlimit(2) as /proc/PID/limits calls them.
var limitNames = map[string]int{
	"Max cpu time": unix.RLIMIT_CPU, "Max file size": unix.RLIMIT_FSIZE, "Max data size": unix.RLIMIT_DATA,
	"Max stack size": unix.RLIMIT_STACK, "Max core file size": unix.RLIMIT_CORE, "Max resident set": unix.RLIMIT_RSS,
	"Max processes": unix.RLIMIT_NPROC, "Max open files": unix.RLIMIT_NOFILE, "Max locked memory": unix.RLIMIT_MEMLOCK,
	"Max address space": unix.RLIMIT_AS, "Max file locks": unix.RLIMIT_LOCKS, "Max pending signals": unix.RLIMIT_SIGPENDING,
	"Max msgqueue size": unix.RLIMIT_MSGQUEUE, "Max nice priority": unix.RLIMIT_NICE, "Max realtime priority": unix.RLIMIT_RTPRIO,
	"Max realtime timeout": unix.RLIMIT_RTTIME,
}

// limits takes over the resource limits and the oom_score_adj of the target. Both are inherited by whatever is executed; it comes
// last because a limit may be too narrow for us.
func (r *request) limits(target *process) error {
	if r.follow.has(followOOM) {
		if err := followScore(target); err != nil {
			return err
		}
	}
	if !r.follow.has(followRlimits) {
		return nil
	}
	text, err := target.read("limits")
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		name, limit, ok := parseLimit(line)
		resource, known := limitNames[name]
		if !ok || !known {
			continue
		}
		var ours unix.Rlimit
		if err := unix.Getrlimit(resource, &ours); err != nil {
			return fmt.Errorf("get the limit %s: %w", name, err)
		}
		if ours == limit {
			continue
		}
		if err := unix.Setrlimit(resource, &limit); err != nil {
			return fmt.Errorf("take over the target's %s: %w\nto raise a limit takes CAP_SYS_RESOURCE: --follow=-rlimits does without",
				strings.ToLower(name[len("Max "):]), err)
		}
	}
	return nil
}

// parseLimit reads a line: the name, and in the columns after it the soft and the hard limit.
func parseLimit(line string) (name string, limit unix.Rlimit, ok bool) {
	const columns = 26
	if len(line) < columns {
		return "", limit, false
	}
	f := strings.Fields(line[columns:])
	if len(f) < 2 {
		return "", limit, false
	}
	for i, into := range []*uint64{&limit.Cur, &limit.Max} {
		if f[i] == "unlimited" {
			*into = math.MaxUint64 // RLIM_INFINITY
			continue
		}
		n, err := strconv.ParseUint(f[i], 10, 64)
		if err != nil {
			return "", limit, false // the heading
		}
		*into = n
	}
	return strings.TrimSpace(line[:columns]), limit, true
}

// followScore takes over oom_score_adj, proc_pid_oom_score_adj(5).
func followScore(target *process) error {
	theirs, err := target.read("oom_score_adj")
	if err != nil {
		return err
	}
	const own = "/proc/self/oom_score_adj"
	ours, err := os.ReadFile(own)
	if err != nil || string(ours) == theirs {
		return err
	}
	if err := os.WriteFile(own, []byte(theirs), 0); err != nil {
		return fmt.Errorf("take over the target's oom_score_adj of %s: %w\nto lower it takes CAP_SYS_RESOURCE: --follow=-oom does without",
			strings.TrimSpace(theirs), err)
	}
	return nil
}
