// SPDX-License-Identifier: Apache-2.0

// Drawing prints the picture of docs/how-it-works.md, an SVG: what happens in a call, in each of the lanes.
//
// The names in it are the code's own, or compared with the code by the tests.
package main

import "os"

func main() {
	os.Stdout.WriteString(picture())
}
