// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/cnsenter/internal/wirecheck"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// source gives what a fuzzer's bytes stand for, and zeros when they are used up.
type source struct {
	b     []byte
	files []*os.File
}

func (s *source) next(n int) []byte {
	out := make([]byte, n)
	s.b = s.b[copy(out, s.b):]
	return out
}

func (s *source) number() int    { return int(binary.LittleEndian.Uint32(s.next(4)) & 0x7fffffff) }
func (s *source) text() string   { return string(s.next(int(s.next(1)[0]))) }
func (s *source) types() ns.Type { return ns.Type(s.number()) & ns.All }
func (s *source) file() *os.File { return s.files[int(s.next(1)[0])%len(s.files)] }
func (s *source) clock() ns.Spec {
	return ns.Spec{Types: s.types(), Monotonic: time.Duration(s.number()) << s.next(1)[0]}
}

func (s *source) gids() (ids []int) {
	for range s.next(1)[0] {
		ids = append(ids, s.number())
	}
	return ids
}

// makers make a step of each kind. The number of a file, or of none, and of what else a step has is the fuzzer's choice.
var makers = []func(s *source) Step{
	func(s *source) Step { return Join(s.file(), s.types()) },
	func(s *source) Step { return Unshare(s.clock()) },
	func(*source) Step { return Fork() },
	func(s *source) Step { return JoinCgroup(s.file()) },
	func(s *source) Step { return Chroot(s.text()) },
	func(s *source) Step { return FChroot(s.file()) },
	func(s *source) Step { return Chdir(s.text()) },
	func(s *source) Step { return FChdir(s.file()) },
	func(s *source) Step { return FChdirOutside(s.file()) },
	func(*source) Step { return Setsid() },
	func(*source) Step { return Terminal() },
	func(s *source) Step { return SetGroups(s.gids()...) },
	func(*source) Step { return DropGroups() },
	func(s *source) Step { return SetGID(s.number()) },
	func(s *source) Step { return SetUID(s.number()) },
	func(s *source) Step {
		return SetCaps(Caps{Effective: uint64(s.number()), Bounding: uint64(s.number())})
	},
	func(*source) Step { return NoNewPrivs() },
	func(s *source) Step { return Mount(s.text(), "/"+s.text(), s.text(), uint32(s.number()), s.text()) },
	func(s *source) Step { return Attach(s.file(), s.text()) },
	func(s *source) Step { return Write(s.file(), s.text(), s.text()) },
	func(*source) Step { return DieWithCaller() },
	func(*source) Step { return Terminal() },
	func(*source) Step { return Await(func(int) error { return nil }) },
	func(s *source) Step { return Exec(s.text()) },
	func(*source) Step { return Step{} },
}

// FuzzPlan has the constructor's checker read what a plan is sent as: it agrees with Plan.check on every plan, and reads the
// steps that were written.
func FuzzPlan(f *testing.F) {
	for i := range makers {
		f.Add([]byte{byte(i), 2, '/', 'x', 0, 0, 0, 0}, "airlock")
		f.Add([]byte{0, 1, 0, 0, 2, 0, 2, byte(i), 1, 'x'}, "")
	}
	f.Add([]byte(strings.Repeat("\x02", maxSteps+1)), "")
	null, err := os.Open(os.DevNull)
	require.NoError(f, err)
	f.Cleanup(func() { null.Close() })
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		s := &source{b: b, files: []*os.File{null, nil, os.Stdin}}
		var plan Plan
		for len(s.b) > 0 && len(plan) <= maxSteps {
			plan = append(plan, makers[int(s.next(1)[0])%len(makers)](s))
		}
		checked := plan.check()
		message, files, err := plan.encode(name, func(s Step) string { return s.Op().String() + " \x00" })
		if err != nil {
			return // too large to be sent
		}
		read, ok := wirecheck.Check(message, len(files))
		require.Equal(t, checked == nil, ok, "%v", checked)
		if !ok {
			return
		}
		require.Equal(t, strings.ReplaceAll(name, "\x00", "?"), read.Name)
		require.Equal(t, len(files), read.Files)
		require.Len(t, read.Steps, len(plan))
		for i, got := range read.Steps {
			want := plan[i]
			require.Equal(t, uint32(want.op), got.Op)
			require.Equal(t, want.value, got.Value)
			require.Contains(t, []string{want.data, want.data + "\x00"}, got.Data)
			if want.file == nil {
				require.Equal(t, uint32(wirecheck.None), got.File)
			} else {
				require.Equal(t, want.file, files[got.File])
			}
			if name != "" {
				require.Equal(t, strings.ReplaceAll(want.label(), "\x00", "?"), got.Label)
				require.Equal(t, want.op.String()+" ?", got.Advice)
			}
		}
		if plan.has(OpExec) {
			require.Equal(t, plan[len(plan)-1].data, read.Program)
		}
	})
}

// FuzzMessage gives the constructor's checker what Start did not write. What it takes for a plan is one by Plan.check too, and is of
// one length only.
func FuzzMessage(f *testing.F) {
	for _, plan := range plans() {
		message, files, err := plan.encode("airlock", func(Step) string { return "advice" })
		require.NoError(f, err)
		f.Add(message, uint8(len(files)))
	}
	f.Fuzz(func(t *testing.T, message []byte, files uint8) {
		read, ok := wirecheck.Check(message, int(files))
		if !ok {
			return
		}
		for _, other := range [][]byte{message[:len(message)-1], append(message[:len(message):len(message)], 0)} {
			_, ok := wirecheck.Check(other, int(files))
			require.False(t, ok)
		}
		var plan Plan
		for _, s := range read.Steps {
			step := Step{op: Op(s.Op), value: s.Value, data: strings.TrimSuffix(s.Data, "\x00")}
			if s.File != wirecheck.None {
				require.Less(t, int(s.File), int(files))
				step.file = os.Stdin
			}
			switch step.op { // what the kernel is asked about
			case OpJoin, OpUnshare:
				step.value |= uint32(ns.Net)
				step.value &= uint32(ns.All)
			case OpSetGID, OpSetUID:
				step.value = 0
			case OpMount:
				step.data = strings.Replace(step.data, "\x00", "\x00/", 1)
			case OpAwait:
				step.meanwhile = func(int) error { return nil }
			}
			plan = append(plan, step)
		}
		require.NoError(t, plan.check())
	})
}

// FuzzReport gives Start what the constructor did not write.
func FuzzReport(f *testing.F) {
	f.Add(bytesOf(new([reportSize]byte)))
	f.Fuzz(func(t *testing.T, message []byte) {
		plan := Plan{Fork(), Unshare(ns.Spec{Types: ns.User}), Await(func(int) error { return nil })}
		r, ok := plan.decode(message)
		if !ok {
			return
		}
		require.Len(t, message, reportSize)
		require.Less(t, r.step, len(plan))
		if r.outcome == unmapped {
			require.NotNil(t, plan[r.step].spec)
		}
	})
}
