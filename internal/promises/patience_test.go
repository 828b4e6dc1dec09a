// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import "time"

const (
	// patience is how long a test waits for what always comes unless something is broken.
	patience = 30 * time.Second
	// interval is how often it looks, where there is no event to wait for.
	interval = time.Millisecond
)
