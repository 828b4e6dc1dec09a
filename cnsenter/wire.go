// SPDX-License-Identifier: Apache-2.0

//go:build linux

package cnsenter

// #include "internal/constructor/wire.h"
import "C"

import (
	"fmt"
	"os"
	"strings"
	"unsafe"

	_ "github.com/airlock-ns/airlock/cnsenter/internal/constructor"
	"github.com/airlock-ns/airlock/ns"
)

// Linked reports whether the constructor is part of this program.
const Linked = true

const (
	maxSteps = C.AIRLOCK_MAX_STEPS
	variable = C.AIRLOCK_VARIABLE
)

// The operations have the same numbers on both sides: an index that is not 0 does not compile.
var _ = [1]struct{}{}[OpJoin-C.AIRLOCK_JOIN|OpUnshare-C.AIRLOCK_UNSHARE|OpFork-C.AIRLOCK_FORK|OpJoinCgroup-C.AIRLOCK_CGROUP|
	OpChroot-C.AIRLOCK_CHROOT|OpChdir-C.AIRLOCK_CHDIR|OpSetsid-C.AIRLOCK_SETSID|OpTerminal-C.AIRLOCK_TERMINAL|
	OpSetGroups-C.AIRLOCK_SETGROUPS|OpDropGroups-C.AIRLOCK_DROPGROUPS|OpSetGID-C.AIRLOCK_SETGID|OpSetUID-C.AIRLOCK_SETUID|
	OpSetCaps-C.AIRLOCK_SETCAPS|OpNoNewPrivs-C.AIRLOCK_NONEWPRIVS|OpMount-C.AIRLOCK_MOUNT|OpAttach-C.AIRLOCK_ATTACH|
	OpWrite-C.AIRLOCK_WRITE|OpDieWithCaller-C.AIRLOCK_DIEWITHCALLER|OpAwait-C.AIRLOCK_AWAIT|OpExec-C.AIRLOCK_EXEC|
	opSteps-C.AIRLOCK_OPS]

// So have Caps and its message the same layout.
var _ = [1]struct{}{}[unsafe.Sizeof(Caps{})-C.sizeof_struct_airlock_caps|
	unsafe.Offsetof(Caps{}.Permitted)-unsafe.Offsetof(C.struct_airlock_caps{}.permitted)|
	unsafe.Offsetof(Caps{}.Inheritable)-unsafe.Offsetof(C.struct_airlock_caps{}.inheritable)|
	unsafe.Offsetof(Caps{}.Ambient)-unsafe.Offsetof(C.struct_airlock_caps{}.ambient)|
	unsafe.Offsetof(Caps{}.Bounding)-unsafe.Offsetof(C.struct_airlock_caps{}.bounding)]

// bytesOf returns the memory of v, which holds no pointers.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// encode returns the message that p is, and the files that go with it. With a name, errors are printed under it.
func (p Plan) encode(name string, advise func(Step) string) ([]byte, []*os.File, error) {
	var steps, data []byte
	var files []*os.File
	text := func(texts ...string) C.uint32_t {
		start := len(data)
		for _, t := range texts {
			data = append(append(data, strings.ReplaceAll(t, "\x00", "?")...), 0)
		}
		data = append(data, make([]byte, -len(data)&3)...) // the groups of a step are aligned
		return C.uint32_t(start)
	}
	header := C.struct_airlock_header{magic: C.AIRLOCK_MAGIC, steps: C.uint32_t(len(p)), name: C.AIRLOCK_NONE}
	if name != "" {
		header.name = text(name)
	}
	for _, s := range p {
		step := C.struct_airlock_step{
			op: C.uint32_t(s.op), file: C.AIRLOCK_NONE, value: C.uint32_t(s.value), start: C.uint32_t(len(data)),
			label: C.AIRLOCK_NONE,
		}
		if s.file != nil {
			step.file = C.uint32_t(len(files))
			files = append(files, s.file)
		}
		if s.data != "" {
			data = append(data, s.data...)
			if s.op != OpSetGroups && s.op != OpSetCaps {
				data = append(data, 0)
			}
			step.size = C.uint32_t(len(data)) - step.start
			data = append(data, make([]byte, -len(data)&3)...)
		}
		if name != "" {
			step.label = text(s.label(), advise(s))
		}
		steps = append(steps, bytesOf(&step)...)
	}
	header.files, header.data = C.uint32_t(len(files)), C.uint32_t(len(data))
	message := append(append(append([]byte(nil), bytesOf(&header)...), steps...), data...)
	if len(message) > C.AIRLOCK_MAX_PLAN {
		return nil, nil, &Error{
			Step: -1, Op: OpStart,
			Err: fmt.Errorf("paths and groups take %d bytes, more than %d", len(message), C.AIRLOCK_MAX_PLAN),
		}
	}
	return message, files, nil
}

type outcome uint32

const (
	done     = outcome(C.AIRLOCK_DONE)
	failed   = outcome(C.AIRLOCK_FAILED)
	executed = outcome(C.AIRLOCK_EXECUTED)
	unmapped = outcome(C.AIRLOCK_UNMAPPED)
	awaiting = outcome(C.AIRLOCK_AWAITING)
)

// report is one message of the started program.
type report struct {
	outcome outcome
	op      Op
	step    int // -1 for what is not a step
	left    ns.Type
	errno   uintptr
}

const reportSize = C.sizeof_struct_airlock_report

// decode returns the report that message is, and false for what is none.
func (p Plan) decode(message []byte) (report, bool) {
	var r C.struct_airlock_report
	if copy(bytesOf(&r), message) != reportSize || r.magic != C.AIRLOCK_MAGIC {
		return report{}, false
	}
	out := report{outcome: outcome(r.outcome), step: -1, left: ns.Type(r.left), errno: uintptr(r.error)}
	switch {
	case out.outcome == done || out.outcome == executed: // of the whole plan
	case r.step == C.AIRLOCK_STAGE_GUARD:
		out.op = OpGuard
	case r.step == C.AIRLOCK_STAGE_ROOT:
		out.op = OpRoot
	case int(r.step) < len(p):
		out.step, out.op = int(r.step), p[r.step].op
	default:
		return report{}, false
	}
	switch out.outcome {
	case unmapped:
		return out, out.op == OpUnshare
	case awaiting:
		return out, out.op == OpAwait
	}
	return out, true
}
