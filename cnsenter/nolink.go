// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !cgo

package cnsenter

import "os/exec"

// Linked reports whether the constructor is part of this program.
const Linked = false

const maxSteps = 64

// Seal returns ErrNotLinked: nothing is started in this program.
func Seal() error { return &Error{Step: -1, Op: OpSeal, Err: ErrNotLinked} }

// Start returns ErrNotLinked: this program was built without the constructor.
func (p Plan) Start(*exec.Cmd) error {
	if err := p.check(); err != nil {
		return err
	}
	return &Error{Step: -1, Op: OpStart, Err: ErrNotLinked}
}
