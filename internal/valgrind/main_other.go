// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !cgo

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "valgrind: the constructor is for Linux and cgo")
	os.Exit(1)
}
