// SPDX-License-Identifier: Apache-2.0

// Api lists what the packages of this module export, a line for each identifier, field and method with its type, and writes the lists to
// docs/api. Its test compares them: whoever removes or changes a line breaks somebody's program, and whoever adds one has a promise to keep.
//
//	go run ./internal/api DIRECTORY
package main
