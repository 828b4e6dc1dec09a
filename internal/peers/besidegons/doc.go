// SPDX-License-Identifier: Apache-2.0

// Package besidegons is a test binary that links the constructors of cnsenter and of gons.
package besidegons
