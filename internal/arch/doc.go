// SPDX-License-Identifier: Apache-2.0

// Package arch holds no code, only the tests that keep the shape of the module: who imports whom, who may
// use cgo, who may change namespaces, who may skip tests, and what stands at the top level.
package arch
