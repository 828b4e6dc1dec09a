// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// forest orders the rows as trees: below its owner, below its parent, or below the namespace of its type that the parent of its first
// process is in. What has none of these among the rows is a root.
func forest(rows []*row, by string) []rowLine {
	above := map[string]func(*row) uint64{
		"owner": func(r *row) uint64 { return r.Owner }, "parent": func(r *row) uint64 { return r.Parent }, "process": processes(rows),
	}[by]
	known := map[uint64]bool{}
	for _, r := range rows {
		known[r.ID] = true
	}
	below := map[uint64][]*row{}
	for _, r := range rows {
		up := above(r)
		if !known[up] || up == r.ID {
			up = 0
		}
		below[up] = append(below[up], r)
	}
	var lines []rowLine
	var add func(id uint64, first, rest string)
	add = func(id uint64, first, rest string) {
		children := below[id]
		slices.SortStableFunc(children, func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.Type.String(), b.Type.String()), cmp.Compare(a.ID, b.ID))
		})
		for i, r := range children {
			here, next := first+"├─", rest+"│ "
			if i == len(children)-1 {
				here, next = first+"└─", rest+"  "
			}
			if id == 0 {
				here, next = "", ""
			}
			lines = append(lines, rowLine{r, here})
			add(r.ID, next, next)
		}
	}
	add(0, "", "")
	return lines
}

// processes returns the way from a namespace to that which the nearest ancestor of its first process with another one is in.
func processes(rows []*row) func(*row) uint64 {
	in := map[ns.Type]map[int]uint64{}
	for _, r := range rows {
		if in[r.Type] == nil {
			in[r.Type] = map[int]uint64{}
		}
		for _, pid := range r.pids {
			in[r.Type][pid] = r.ID
		}
	}
	parents := map[int]int{}
	return func(r *row) uint64 {
		for pid := r.PID; pid > 0; {
			up, ok := parents[pid]
			if !ok {
				up = parentOf(pid)
				parents[pid] = up
			}
			if id := in[r.Type][up]; id != 0 && id != r.ID {
				return id
			}
			pid = up
		}
		return 0
	}
}

// parentOf returns the pid of the parent of a process, proc_pid_stat(5), or 0.
func parentOf(pid int) int {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	stat := string(text)
	var state string
	var parent int
	// The name in parentheses may hold any character.
	_, _ = fmt.Sscan(stat[strings.LastIndexByte(stat, ')')+1:], &state, &parent)
	return parent
}
