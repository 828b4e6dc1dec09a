// SPDX-License-Identifier: Apache-2.0

package cnsenter

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/airlock-ns/airlock/ns"
)

// Caps are the capability sets of a thread, capabilities(7): bit 1<<n is capability n of linux/capability.h. Ambient ones must be
// permitted and inheritable too.
type Caps struct {
	Effective, Permitted, Inheritable, Ambient, Bounding uint64
}

func (c Caps) data() string {
	var b []byte
	for _, set := range [...]uint64{c.Effective, c.Permitted, c.Inheritable, c.Ambient, c.Bounding} {
		b = binary.NativeEndian.AppendUint64(b, set)
	}
	return string(b)
}

// groups returns the ids as setgroups(2) wants them.
func groups(gids []int) string {
	b := make([]byte, 0, 4*len(gids))
	for _, gid := range gids {
		b = binary.NativeEndian.AppendUint32(b, uint32(gid))
	}
	return string(b)
}

// offsets returns what timens_offsets of a new time namespace is given, time_namespaces(7).
func offsets(s ns.Spec) string {
	var b strings.Builder
	for _, clock := range [...]struct {
		name   string
		offset time.Duration
	}{{"monotonic", s.Monotonic}, {"boottime", s.Boottime}} {
		if clock.offset == 0 {
			continue
		}
		seconds, rest := clock.offset/time.Second, clock.offset%time.Second
		if rest < 0 { // nanoseconds count upwards
			seconds, rest = seconds-1, rest+time.Second
		}
		fmt.Fprintf(&b, "%s %d %d\n", clock.name, seconds, rest)
	}
	return b.String()
}
