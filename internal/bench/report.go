// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
)

func printJSON(r *result) error { return json.NewEncoder(os.Stdout).Encode(r) }

var printHeader = sync.OnceFunc(func() {
	fmt.Printf("%-14s %10s  %-16s %10s %7s %6s  %s\n", "row", "ours µs", "peer", "peer µs", "ratio", "n", "note")
})

func printTable(r *result) error {
	printHeader()
	_, err := fmt.Printf("%-14s %10s  %-16s %10s %7s %6d  %s\n",
		r.Name, figure("%.1f", r.Ours), r.Peer, figure("%.1f", r.Their), figure("%.3f", r.Ratio), r.N, r.Note)
	return err
}

func figure(format string, f *float64) string {
	if f == nil {
		return "-"
	}
	return fmt.Sprintf(format, *f)
}

// crash finds in what a peer printed the line that says why it ended.
var crash = regexp.MustCompile(`(?:fatal error|panic|runtime/cgo|SIG[A-Z]+)[^\n"\\]*`)

func firstLine(err error) string {
	if line := crash.FindString(err.Error()); line != "" {
		return line
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
