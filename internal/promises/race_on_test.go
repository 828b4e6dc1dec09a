// SPDX-License-Identifier: Apache-2.0

//go:build race

package main

// raceEnabled says that everything is several times slower, and takes more memory.
const raceEnabled = true
