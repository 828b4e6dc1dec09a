// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// rows in the order in which they are measured and printed.
var rows = []row{
	{"call/cold", "gons", prepareCall(boxTypes)},
	{"call/cold-pid", "gons", prepareCall(append([]string{"pid"}, boxTypes...))},
	{"do/net", "CNI ns.Do", prepareDoNet},
	{"do/mnt", "gons", prepareDoMount},
	{"start/idle", "without", prepareIdle},
	{"cli/enter", "nsenter", prepareEnter("nsenter", utilLinuxNsenter)},
	{"cli/enter", "busybox nsenter", prepareEnter("busybox", busyboxNsenter)},
	{"cli/enter", "runc exec", prepareEnter("runc", runcExec)},
}

// row is one piece of work, done by us and by a peer.
type row struct {
	name, peer string
	prepare    func(*fixture.Container) (*work, error)
}

// work does a row's piece of work once, and fails unless the outcome is right.
type work struct {
	ours, peer func() error
	note       string // printed beside the figures
	absent     string // why there is no peer to measure
	close      func() error
}

// result of a row; times are medians in microseconds.
type result struct {
	Name  string   `json:"name"`
	Ours  *float64 `json:"ours_us"`
	Peer  string   `json:"peer"`
	Their *float64 `json:"peer_us"`
	Ratio *float64 `json:"ratio"`
	N     int      `json:"n"`
	Note  string   `json:"note,omitempty"`
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
	sides := []func() error{w.ours, w.peer}
	var times [2][]time.Duration
	for i := range warmUp + n {
		for j := range sides {
			side := (i + j) % len(sides)
			if sides[side] == nil {
				continue
			}
			start := time.Now()
			err := sides[side]()
			took := time.Since(start)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", []string{"ours", r.peer}[side], err)
			}
			if i >= warmUp {
				times[side] = append(times[side], took)
			}
		}
	}
	out.N = n
	out.Ours, out.Their = median(times[0]), median(times[1])
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
	us := float64(middle) / float64(time.Microsecond)
	return &us
}
