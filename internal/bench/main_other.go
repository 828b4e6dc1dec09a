// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !cgo

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: needs Linux and cgo, as its peers do")
	os.Exit(1)
}
