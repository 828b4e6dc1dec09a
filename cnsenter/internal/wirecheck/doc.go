// SPDX-License-Identifier: Apache-2.0

// Package wirecheck lets tests call what the constructor checks its input with: its own checker of plans, and the parser of AIRLOCK_JOIN
// compiled once more, with files that are only made up. Test files may not import "C" themselves. No program imports this package.
package wirecheck
