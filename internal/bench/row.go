// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// rows in the order in which they are measured and printed.
var rows = []row{
	{"call/cold", "gons", prepareCall(boxTypes)},
	{"call/cold-pid", "gons", prepareCall(append([]string{"pid"}, boxTypes...))},
	{"call/cold-4GiB", "with a small heap", prepareHeap},
	{"call/warm", "gons", prepareWarm(boxTypes)},
	{"call/warm-pid", "gons", prepareWarm(append([]string{"pid"}, boxTypes...))},
	{"call/parallel-cold", "gons", prepareParallel(false, 2)},
	{"call/parallel-warm", "gons", prepareParallel(true, 2)},
	{"sweep/500", "gons", prepareSweep(sweepProcesses)},
	{"sweep/500-call", "gons", prepareSweep(sweepThreads)},
	{"result/64MiB", "gons", prepareResult},
	{"stream/1M", "gons' 64 MiB", prepareStream},
	{"do/net", "CNI ns.Do", prepareDoNet},
	{"do/mnt", "gons", prepareDoMount},
	{"list/500", "lsns", prepareList},
	{"start/idle", "without", prepareIdle},
	{"cli/enter", "nsenter", prepareEnter("nsenter", utilLinuxNsenter)},
	{"cli/enter", "busybox nsenter", prepareEnter("busybox", busyboxNsenter)},
	{"cli/enter", "runc exec", prepareEnter("runc", runcExec)},
	{"cli/ls", "lsns", prepareListing},
	{"cli/engine", "docker exec", prepareEngine},
}

// row is one piece of work, done by us and by a peer.
type row struct {
	name, peer string
	prepare    func(*fixture.Container) (*work, error)
}

// work does a row's piece of work once, and fails unless the outcome is right.
type work struct {
	ours, peer func() error
	most       int           // samples a side; 0: as many as are asked for
	batch      int           // how many times ours does it in a sample, which is then their mean; 0: once
	note       string        // printed beside the figures
	noteAfter  func() string // asked after the last sample, if there is one
	absent     string        // why there is no peer to measure
	close      func() error
}

// result of a row; times are medians in microseconds, CPU times are means, of this process and its children that have ended.
type result struct {
	Name     string   `json:"name"`
	Ours     *float64 `json:"ours_us"`
	Peer     string   `json:"peer"`
	Their    *float64 `json:"peer_us"`
	Ratio    *float64 `json:"ratio"`
	N        int      `json:"n"`
	P99      *float64 `json:"ours_p99_us"`
	CPU      *float64 `json:"ours_cpu_us"`
	TheirCPU *float64 `json:"peer_cpu_us"`
	Note     string   `json:"note,omitempty"`
}

// warmUp is how many samples of each side are taken before those that count.
const warmUp = 5

// measure takes n samples of each side. The side that goes first changes with every pair.
func (r row) measure(box *fixture.Container, n int) (_ *result, err error) {
	w, err := r.prepare(box)
	if err != nil {
		return nil, err
	}
	if w.close != nil {
		defer func() {
			if failed := w.close(); err == nil {
				err = failed
			}
		}()
	}
	out := &result{Name: r.name, Peer: r.peer, Note: w.note}
	if w.ours == nil {
		out.Note = w.absent
		return out, nil
	}
	if w.peer != nil {
		if err := w.peer(); err != nil {
			w.peer, w.absent = nil, "peer fails: "+firstLine(err)
		}
	}
	if w.peer == nil {
		out.Note = w.absent
	}
	warmUp := warmUp
	if w.most > 0 {
		n, warmUp = min(n, w.most), 1
	}
	sides := []func() error{w.ours, w.peer}
	var times [2][]time.Duration
	var cpu [2]time.Duration
	for i := range warmUp + n {
		for j := range sides {
			side := (i + j) % len(sides)
			if sides[side] == nil {
				continue
			}
			before := cpuTime()
			start := time.Now()
			err := sides[side]()
			took := time.Since(start)
			if side == 0 && w.batch > 0 {
				took /= time.Duration(w.batch)
			}
			used := cpuTime() - before
			if err != nil {
				return nil, fmt.Errorf("%s: %w", []string{"ours", r.peer}[side], err)
			}
			if i >= warmUp {
				times[side] = append(times[side], took)
				cpu[side] += used
			}
		}
	}
	out.N = n
	out.Ours, out.Their = median(times[0]), median(times[1])
	out.P99 = microseconds(times[0][len(times[0])*99/100])
	out.CPU = microseconds(cpu[0] / time.Duration(n))
	if w.peer != nil {
		out.TheirCPU = microseconds(cpu[1] / time.Duration(n))
	}
	if w.noteAfter != nil {
		out.Note = w.noteAfter()
	}
	if out.Their != nil {
		ratio := *out.Ours / *out.Their
		out.Ratio = &ratio
	}
	return out, nil
}

func median(times []time.Duration) *float64 {
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	middle := times[len(times)/2]
	if len(times)%2 == 0 {
		middle = (middle + times[len(times)/2-1]) / 2
	}
	return microseconds(middle)
}

func microseconds(d time.Duration) *float64 {
	us := float64(d) / float64(time.Microsecond)
	return &us
}

// cpuTime is what this process has used, and its children that have ended.
func cpuTime() (sum time.Duration) {
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var used unix.Rusage
		if err := unix.Getrusage(who, &used); err == nil {
			sum += time.Duration(used.Utime.Nano() + used.Stime.Nano())
		}
	}
	return sum
}
