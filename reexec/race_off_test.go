// SPDX-License-Identifier: Apache-2.0

//go:build !race

package reexec_test

const raceEnabled = false
