// SPDX-License-Identifier: Apache-2.0

//go:build race

package targets_test

// oneOf is how many sets of types there are for each that is tried: a process under the race detector that cannot read its
// options, in a mount namespace whose /proc does not show it, sleeps for a second when it ends.
const oneOf = 13
