// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// state is what a function may leave behind in a warm worker, as far as a few system calls can tell.
type state struct {
	dev, ino   uint64 // the working directory
	umask      int
	free       int // the lowest free descriptor: one that was left open, or closed, moves it
	goroutines int
	env        []string
}

// firstLook gives the state before any function has run.
func firstLook() state {
	// The runtime's poller opens its descriptors when it is first used. They are no function's.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	return look()
}

// look gives the present state. It runs between two calls, when no function does.
func look() state {
	s := state{umask: unix.Umask(0o077), free: -1, goroutines: runtime.NumGoroutine()}
	unix.Umask(s.umask)
	var st unix.Stat_t
	if unix.Stat(".", &st) == nil {
		s.dev, s.ino = st.Dev, st.Ino
	}
	if fd, err := unix.FcntlInt(2, unix.F_DUPFD_CLOEXEC, 0); err == nil {
		s.free = fd
		unix.Close(fd)
	}
	s.env = os.Environ()
	return s
}

// settleTime is how long a goroutine that is about to end may take for it, on a machine that has much else to do. The one that ran
// the function always is.
const settleTime = 50 * time.Millisecond

// change reports whether the state has changed. The new one is then what the next is compared with, for a caller who keeps the worker
// all the same.
func (s *state) change() bool {
	for began := time.Now(); runtime.NumGoroutine() > s.goroutines; {
		waited := time.Since(began)
		if waited > settleTime {
			break
		}
		if waited < settleTime/100 {
			runtime.Gosched()
		} else {
			time.Sleep(settleTime / 100)
		}
	}
	now := look()
	changed := now.dev != s.dev || now.ino != s.ino || now.umask != s.umask || now.free != s.free ||
		now.goroutines > s.goroutines || !slices.Equal(now.env, s.env)
	if changed {
		*s = now
	}
	return changed
}
