// SPDX-License-Identifier: Apache-2.0

// Package noisy is a test's: it prints when it is initialised, which is before package reexec is, as it depends on less and is named
// before it.
package noisy

import "os"

// Variable turns the noise on.
const Variable = "AIRLOCK_PROMISES_NOISE"

// What is printed on standard output and standard error. It looks like a frame of a worker's answer.
const (
	Stdout = "alk1\x06\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00{}"
	Stderr = "alk1\x07\xff\xfe\x00\n"
)

func init() {
	if _, on := os.LookupEnv(Variable); on {
		os.Stdout.WriteString(Stdout)
		os.Stderr.WriteString(Stderr)
	}
}
