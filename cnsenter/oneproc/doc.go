// SPDX-License-Identifier: Apache-2.0

// Package oneproc starts the Go runtime of a program that imports it with one processor, as GOMAXPROCS=1 in the environment does:
//
//	import _ "github.com/airlock-ns/airlock/cnsenter/oneproc"
//
// It is for programs that do nothing at the same time, and end or become another program at once, like cmd/airlock: with fewer
// threads to start, and to end at execve(2), they take a tenth less of processor time. No Go code sees a difference in the
// environment; neither do programs that are executed. A GOMAXPROCS that is set holds. Without cgo, and off Linux, importing the package does
// nothing.
package oneproc
