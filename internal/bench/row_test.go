// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	gonsreexec.CheckAction()
	fixture.Main(m)
}

func rowOf(w work) row {
	return row{"some/row", "peer", func(*fixture.Container) (*work, error) { return &w, nil }}
}

func TestMeasureTakesTurns(t *testing.T) {
	var order []byte
	closed := 0
	r, err := rowOf(work{
		ours:  func() error { order = append(order, 'o'); return nil },
		peer:  func() error { order = append(order, 'p'); return nil },
		close: func() error { closed++; return nil },
	}).measure(nil, 3)
	require.NoError(t, err)
	require.Equal(t, "p"+"op"+"po"+"op"+"po"+"op"+"po"+"op"+"po", string(order)) // one try, five to warm up, three that count
	require.Equal(t, 3, r.N)
	require.Equal(t, 1, closed)
	require.InDelta(t, *r.Ours / *r.Their, *r.Ratio, 1e-9)
}

func TestMeasureWithoutPeer(t *testing.T) {
	for _, w := range []work{
		{ours: func() error { return nil }, absent: "it is missing"},
		{ours: func() error { return nil }, peer: func() error { return errors.New("a\nruntime/cgo: it is missing\nb") }},
	} {
		r, err := rowOf(w).measure(nil, 1)
		require.NoError(t, err)
		require.NotNil(t, r.Ours)
		require.Nil(t, r.Their)
		require.Nil(t, r.Ratio)
		require.Contains(t, r.Note, "it is missing")
		require.NotContains(t, r.Note, "\n")
		_, err = json.Marshal(r)
		require.NoError(t, err)
	}
}

func TestMeasureStopsAtAFailure(t *testing.T) {
	_, err := rowOf(work{ours: func() error { return errors.New("no") }}).measure(nil, 1)
	require.EqualError(t, err, "ours: no")
}

func TestMedian(t *testing.T) {
	require.Nil(t, median(nil))
	require.Equal(t, 2.0, *median([]time.Duration{3000, 1000, 2000}))
	require.Equal(t, 2.5, *median([]time.Duration{4000, 3000, 1000, 2000}))
}

// TestPromise30NotUsedNotPaid keeps the constructor of a program without a plan free of system calls.
func TestPromise30NotUsedNotPaid(t *testing.T) {
	fixture.Need(t, fixture.Program("strace", "go"))
	w, err := prepareIdle(nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.close()) }()
	require.Regexp(t, `: \+0$`, w.note)
}
