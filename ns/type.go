// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"fmt"
	"iter"
	"math/bits"
	"strings"
)

// Type is a set of namespace types. Its bits are the CLONE_NEW* constants of clone(2), so that a Type
// passes unchanged to setns(2), unshare(2) and clone(2).
type Type uint32

// The eight namespace types of namespaces(7), and All, the set of them.
const (
	Time   Type = 0x00000080
	Mount  Type = 0x00020000
	Cgroup Type = 0x02000000
	UTS    Type = 0x04000000
	IPC    Type = 0x08000000
	User   Type = 0x10000000
	PID    Type = 0x20000000
	Net    Type = 0x40000000

	All = Time | Mount | Cgroup | UTS | IPC | User | PID | Net
)

// names holds the names of the types as the kernel spells them in /proc/PID/ns.
var names = [...]struct {
	t    Type
	name string
}{
	{Cgroup, "cgroup"},
	{IPC, "ipc"},
	{Mount, "mnt"},
	{Net, "net"},
	{PID, "pid"},
	{Time, "time"},
	{User, "user"},
	{UTS, "uts"},
}

// ParseType returns the set that s names: kernel names ("mnt", "net", …) or "mount" and "network",
// separated by commas, or "all".
func ParseType(s string) (Type, error) {
	var set Type
	for name := range strings.SplitSeq(s, ",") {
		t := typeNamed(name)
		if t == 0 {
			return 0, fmt.Errorf("ns: parse type %q: unknown name %q", s, name)
		}
		set |= t
	}
	return set, nil
}

func typeNamed(name string) Type {
	switch name {
	case "all":
		return All
	case "mount":
		return Mount
	case "network":
		return Net
	}
	for _, n := range names {
		if n.name == name {
			return n.t
		}
	}
	return 0
}

// String returns the kernel's names of the types in the set, separated by commas: "mnt,net". Bits
// that are no type are appended as a hexadecimal number; the empty set is "none".
func (t Type) String() string {
	if t == 0 {
		return "none"
	}
	var parts []string
	for _, n := range names {
		if t&n.t != 0 {
			parts = append(parts, n.name)
		}
	}
	if rest := t &^ All; rest != 0 {
		parts = append(parts, fmt.Sprintf("%#x", uint32(rest)))
	}
	return strings.Join(parts, ",")
}

// Each yields the types of the set one by one, in the order of their names.
func (t Type) Each() iter.Seq[Type] {
	return func(yield func(Type) bool) {
		for _, n := range names {
			if t&n.t != 0 && !yield(n.t) {
				return
			}
		}
	}
}

// Has reports whether every type of u is in the set.
func (t Type) Has(u Type) bool { return t&u == u }

// Len returns the number of types in the set.
func (t Type) Len() int { return bits.OnesCount32(uint32(t & All)) }

// MarshalText returns t.String().
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText parses what MarshalText returns, and whatever else ParseType accepts.
func (t *Type) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*t = 0
		return nil
	}
	set, err := ParseType(string(text))
	if err == nil {
		*t = set
	}
	return err
}
