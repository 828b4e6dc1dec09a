// SPDX-License-Identifier: Apache-2.0

// Bench measures airlock and its peers on the same work, on the same container, in the same run, one sample
// of ours and one of the peer's in turn, and prints the medians and their ratio. Ratios are what counts: the
// times depend on the machine and on who else uses it.
//
//	go run ./internal/bench [-json] [-run REGEXP] [-n N]
//
// A row "call/cold" is the whole way from a pid to a result in both cases: namespaces are opened, a process
// is started, its answer is read, its end is awaited, all descriptors are closed. It needs root, cgo and runc.
// The peers are linked into this program, beside the constructor that it measures.
package main
