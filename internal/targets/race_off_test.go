// SPDX-License-Identifier: Apache-2.0

//go:build !race

package targets_test

// oneOf is how many sets of types there are for each that is tried: all are.
const oneOf = 1
