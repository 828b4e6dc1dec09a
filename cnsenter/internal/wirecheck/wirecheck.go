// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package wirecheck

// #include "joins.h"
// #include <stdlib.h>
// #pragma weak airlock_check
import "C"

import (
	"unsafe"

	_ "github.com/airlock-ns/airlock/cnsenter/internal/constructor"
)

// None stands for a file that a step has not.
const None = C.AIRLOCK_NONE

// The limits of a plan.
const (
	MaxSteps = C.AIRLOCK_MAX_STEPS
	MaxFiles = C.AIRLOCK_MAX_FILES
	MaxPlan  = C.AIRLOCK_MAX_PLAN
	MaxJoin  = C.AIRLOCK_MAX_JOIN
)

// Plan is a plan as the constructor reads it.
type Plan struct {
	Name                string // under which errors are printed, or ""
	Steps               []Step
	Files               int
	Program             string // to execute at the end, or ""
	Mounts, Flips, Dies bool   // see struct airlock_run
}

// Step is one step of it.
type Step struct {
	Op, File, Value uint32
	Data            string
	Label, Advice   string // what is printed if the step fails
}

// Check returns the plan that the message is, and false if it is not well-formed or comes with another number of files than it says. The
// constructor sees memory that ends where the message does.
func Check(message []byte, files int) (Plan, bool) {
	memory := C.CBytes(message)
	defer C.free(memory)
	var run C.struct_airlock_run
	if !C.airlock_check(&run, memory, C.size_t(len(message)), C.unsigned(files)) {
		return Plan{}, false
	}
	return read(&run), true
}

// Outcome is what becomes of a value of AIRLOCK_JOIN.
type Outcome int

// The value is not well-formed, or it is; or it is well-formed up to a file that is missing.
const (
	Malformed   Outcome = 0
	Wellformed  Outcome = 1
	MissingFile Outcome = -1
)

// Joins returns the plan that a value of AIRLOCK_JOIN is, which is shorter than MaxJoin. It opens no files: there is one at every path but
// those that begin with "/no/". It is not for concurrent use.
func Joins(value string) (Plan, Outcome) {
	memory := C.CString(value)
	defer C.free(unsafe.Pointer(memory))
	var run C.struct_airlock_run
	outcome := Outcome(C.wirecheck_joins(&run, memory))
	if outcome != Wellformed {
		return Plan{}, outcome
	}
	return read(&run), outcome
}

func read(run *C.struct_airlock_run) Plan {
	p := Plan{Files: int(run.header.files), Mounts: bool(run.mounts), Flips: bool(run.flips), Dies: bool(run.dies)}
	text := func(at C.uint32_t) string {
		if at == C.AIRLOCK_NONE {
			return ""
		}
		return C.GoString((*C.char)(unsafe.Add(unsafe.Pointer(run.data), at)))
	}
	p.Name = text(run.header.name)
	if run.program != nil {
		p.Program = C.GoString(run.program)
	}
	for _, s := range unsafe.Slice(run.steps, run.header.steps) {
		step := Step{Op: uint32(s.op), File: uint32(s.file), Value: uint32(s.value), Label: text(s.label)}
		step.Data = C.GoStringN((*C.char)(unsafe.Add(unsafe.Pointer(run.data), s.start)), C.int(s.size))
		if s.label != C.AIRLOCK_NONE {
			step.Advice = text(s.label + C.uint32_t(len(step.Label)) + 1)
		}
		p.Steps = append(p.Steps, step)
	}
	return p
}
