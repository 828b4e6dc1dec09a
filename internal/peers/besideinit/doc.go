// SPDX-License-Identifier: Apache-2.0

// Package besideinit is a test binary that links the constructor of cnsenter and a C file that defines a
// global function "init". Two of those in one program do not link: cnsenter must not define one.
package besideinit
