// SPDX-License-Identifier: Apache-2.0

// Package anearly is a test's: it is initialised as early as a package that can open files can be, and depends on nothing of this
// module.
package anearly

import "os"

// Root describes the root directory at initialisation.
var Root, _ = os.Stat("/")
