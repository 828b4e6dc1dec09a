// SPDX-License-Identifier: Apache-2.0

package ns

// Info describes a namespace as List found it.
type Info struct {
	ID       ID
	Type     Type
	Owner    ID     // the user namespace that owns it; zero if that is out of reach
	Parent   ID     // of a pid or user namespace; zero if there is none within reach
	OwnerUID int    // see Handle.OwnerUID; -1 if unknown
	PIDs     []int  // the processes in it, ascending
	Command  string // the command line of the first of these, or its name if it has none

	// Keepers are what keeps it alive apart from the processes in it.
	Keepers []Keeper
}

// Keeper is something, not a process in it, that keeps a namespace alive.
type Keeper struct {
	Kind KeeperKind
	PID  int    // the process that it belongs to, or, for KeptByMount, one that sees the mount
	TID  int    // KeptByThread: the thread
	FD   int    // KeptByDescriptor, KeptBySocket: the descriptor
	Path string // KeptByMount: the path as the process sees it
	Of   ID     // KeptByNamespace: a namespace that has this one as owner or parent
}

// KeeperKind says what a Keeper is.
type KeeperKind string

// The kinds of Keeper, namespaces(7).
const (
	KeptByThread     KeeperKind = "thread"     // a thread that is elsewhere than its process
	KeptByChildren   KeeperKind = "children"   // a process whose children will be in it
	KeptByDescriptor KeeperKind = "descriptor" // an open file
	KeptBySocket     KeeperKind = "socket"     // a socket, elsewhere than its process
	KeptByMount      KeeperKind = "mount"      // a bind mount
	KeptByNamespace  KeeperKind = "namespace"  // a namespace that it owns, or is the parent of
)
