// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import "os"

// full says that the tests which repeat something do so as often as is promised, and not only as often as there is time for every day.
var full = os.Getenv("AIRLOCK_FULL") != ""
