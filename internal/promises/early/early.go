// SPDX-License-Identifier: Apache-2.0

// Package early notes what its init function sees; it imports nothing of this module.
package early

import "os"

// Env is the environment at initialisation.
var Env = os.Environ()
