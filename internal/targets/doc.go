// SPDX-License-Identifier: Apache-2.0

// Package targets holds no code, only the tests that enter real containers: a Go function looks around in
// each, and must see what nsenter(1) sees there.
package targets
