// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// spare are ids that nobody has: root may map any, so he has to mind that. They are above those that useradd(8) gives out in /etc/subuid,
// 100000 to 600100000, and those of systemd's containers, which end at 1879048191.
var spare = ns.IDMap{Inside: 1, Outside: 1879048192, Size: 1 << 16}

// idMap maps own to 0, and to the ids from 1 on those that file, subuid(5) or subgid(5), gives to the user. Where it gives him none,
// one's own is all there is.
func idMap(file string, own int) []ns.IDMap {
	ids := []ns.IDMap{{Inside: 0, Outside: own, Size: 1}}
	if os.Getuid() == 0 {
		return append(ids, spare)
	}
	names := []string{strconv.Itoa(os.Getuid())}
	if u, err := user.Current(); err == nil {
		names = append(names, u.Username)
	}
	text, _ := os.ReadFile(file) // where there is none, nobody has any
	return append(ids, subordinate(text, names)...)
}

// subordinate returns the first range that the text gives to one of the names.
func subordinate(text []byte, names []string) []ns.IDMap {
	for line := range bytes.Lines(text) {
		name, ids, _ := strings.Cut(string(line), ":")
		m := ns.IDMap{Inside: 1}
		if n, _ := fmt.Sscanf(ids, "%d:%d", &m.Outside, &m.Size); n == 2 && slices.Contains(names, name) {
			return []ns.IDMap{m}
		}
	}
	return nil
}
