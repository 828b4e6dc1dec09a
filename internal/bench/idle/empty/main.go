// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Empty starts and ends, with an empty import "C" and what a program that starts processes links anyway.
package main

import "C"
import _ "os/exec"

func main() {}
