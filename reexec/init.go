// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/reexec/internal/taken"
)

// exitRefused is the exit status of a program whose call variable names no call.
const exitRefused = 125

// called is what the environment said when this package was initialised.
var called = takeCall()

// Init makes this program one that can be copied. It must be the first line of main, and of TestMain in tests. In a copy
// that was started for a call it does not return: it runs the function, and exits.
//
// In an ordinary start it costs nothing; the package's own initialisation costs one look-up in the environment.
func Init() {
	registry.mu.Lock()
	registry.inited = true
	registry.mu.Unlock()
	if called == nil {
		return
	}
	err := called.serve()
	if err != nil {
		fmt.Fprintf(os.Stderr, "reexec: %s=%s: %v\n", taken.Variable, taken.Value, err)
		exit(exitRefused)
	}
	exit(0)
}
