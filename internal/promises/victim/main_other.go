// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !cgo

package main

import (
	"fmt"
	"os"

	"github.com/airlock-ns/airlock/cnsenter"
)

func main() {
	fmt.Fprintln(os.Stderr, "victim:", cnsenter.ErrNotLinked)
	os.Exit(1)
}
