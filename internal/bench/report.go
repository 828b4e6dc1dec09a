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
	fmt.Printf("%-18s %10s %10s %10s  %-18s %10s %10s %7s %5s  %s\n",
		"row", "ours µs", "p99", "CPU", "peer", "peer µs", "CPU", "ratio", "n", "note")
})

func printTable(r *result) error {
	printHeader()
	_, err := fmt.Printf("%-18s %10s %10s %10s  %-18s %10s %10s %7s %5d  %s\n",
		r.Name, figure("%.1f", r.Ours), figure("%.1f", r.P99), figure("%.1f", r.CPU), r.Peer, figure("%.1f", r.Their),
		figure("%.1f", r.TheirCPU), figure("%.3f", r.Ratio), r.N, r.Note)
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
