// SPDX-License-Identifier: Apache-2.0

// Package taken takes the control variable of package reexec out of the environment. It imports syscall alone, and so is initialised
// before package os and before whatever imports that: no init function that looks for the variable finds it.
package taken

import "syscall"

// Variable is the name.
const Variable = "AIRLOCK_CALL"

// Value is what the variable was, if it was There.
var Value, There = take()

func take() (string, bool) {
	value, there := syscall.Getenv(Variable)
	if there {
		syscall.Unsetenv(Variable)
	}
	return value, there
}
