// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"bytes"
	"runtime"
	"sync"
)

// locked reports whether this goroutine is locked to its thread, or may be. The only place where the runtime says so is the first
// line of a stack trace, so what that looks like is tried first. This costs a microsecond; a goroutine for every call, which
// wakes another thread, costs ten.
func locked() bool { return !tellsLocked() || stackSaysLocked() }

// tellsLocked tries it on a goroutine of its own, which nobody has locked.
var tellsLocked = sync.OnceValue(func() bool {
	tells := make(chan bool)
	go func() {
		before := stackSaysLocked()
		runtime.LockOSThread()
		during := stackSaysLocked()
		runtime.UnlockOSThread()
		tells <- !before && during && !stackSaysLocked()
	}()
	return <-tells
})

// stackSaysLocked looks for "goroutine 7 [running, locked to thread]:".
func stackSaysLocked() bool {
	var b [64]byte
	line, _, _ := bytes.Cut(b[:runtime.Stack(b[:], false)], []byte("\n"))
	return bytes.Contains(line, []byte("locked to thread"))
}
