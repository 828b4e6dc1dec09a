// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"bytes"
	"testing"

	"github.com/airlock-ns/airlock/reexec"
)

func BenchmarkCold(b *testing.B) {
	for b.Loop() {
		if _, err := pid.Call(bg(), nil, struct{}{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWarm(b *testing.B) {
	var p reexec.Pool
	defer p.Close()
	on := p.On(1, nil)
	for b.Loop() {
		if _, err := pid.Call(bg(), on, struct{}{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWarmParallel(b *testing.B) {
	var p reexec.Pool
	defer p.Close()
	on := p.On(1, nil)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := pid.Call(bg(), on, struct{}{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkResult64MiB(b *testing.B) {
	b.SetBytes(64 << 20)
	for b.Loop() {
		out, err := repeat.Call(bg(), nil, 64<<20)
		if err != nil || len(out) != 64<<20 {
			b.Fatal(err)
		}
	}
}

func BenchmarkParam64MiB(b *testing.B) {
	in := pair{Data: bytes.Repeat([]byte{1, 2, 3, 4}, 16<<20)}
	b.SetBytes(64 << 20)
	for b.Loop() {
		if _, err := swallow.Call(bg(), nil, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStream1M(b *testing.B) {
	for b.Loop() {
		n := 0
		for _, err := range count.Call(bg(), nil, order{N: 1_000_000, Size: 40}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
}
