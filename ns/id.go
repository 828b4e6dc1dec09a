// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"fmt"
	"strconv"
	"strings"
)

// ID identifies a namespace as long as something keeps it alive: two IDs are equal if and only if
// they stand for one namespace. It is comparable and so a map key. The zero ID is no namespace.
//
// The kernel compares namespaces by device and inode, ioctl_nsfs(2), and may give the inode of a
// namespace that is gone to a new one. Whoever stores an ID holds a Handle beside it.
type ID struct {
	Dev uint64 // the device of nsfs, the same for every namespace
	Ino uint64 // the number in the brackets of "net:[4026531840]"
}

// String returns the inode in decimal, as lsns(8) prints it.
func (id ID) String() string { return strconv.FormatUint(id.Ino, 10) }

// IsZero reports whether id is the zero ID.
func (id ID) IsZero() bool { return id == ID{} }

// KernelID identifies a namespace until the machine restarts: the kernel gives Number to no other,
// even when the namespace is gone. Unlike an ID it may be stored without a Handle beside it. It is
// comparable.
type KernelID struct {
	Number uint64
	Type   Type
	Ino    uint32
}

// ParseID reads what readlink(2) says about a file in /proc/PID/ns, such as "net:[4026531840]", and
// returns the ID and the type. It does not look whether the namespace exists. Off Linux, and where
// /proc is not mounted, the error wraps errors.ErrUnsupported, for the device is not known then.
func ParseID(s string) (ID, Type, error) {
	t, ino := parseLink(s)
	if t == 0 {
		return ID{}, 0, fmt.Errorf("ns: parse namespace %q: not of the form net:[4026531840]", s)
	}
	dev, err := device()
	if err != nil {
		return ID{}, 0, &Error{Op: "parse", Ref: s, Err: err}
	}
	return ID{Dev: dev, Ino: ino}, t, nil
}

// parseLink returns type and inode of "net:[4026531840]", or 0 for the type if it is something else.
func parseLink(s string) (Type, uint64) {
	name, rest, _ := strings.Cut(s, ":[")
	digits, closed := strings.CutSuffix(rest, "]")
	ino, err := strconv.ParseUint(digits, 10, 64)
	if !closed || err != nil || ino == 0 {
		return 0, 0
	}
	return kernelNamed(name), ino
}

// kernelNamed returns the type that the kernel calls name, or 0.
func kernelNamed(name string) Type {
	for _, n := range names {
		if n.name == name {
			return n.t
		}
	}
	return 0
}
