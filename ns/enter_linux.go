// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// Enter moves the thread of the calling goroutine into the namespaces hs, for good: it locks the
// goroutine to its thread as runtime.LockOSThread does, and leaves it locked, so that the thread ends
// with the goroutine. UnlockOSThread must never follow, or the thread would serve other goroutines.
// For the types what Do says applies. The main thread, which /proc/self shows, moves only for a caller
// that has locked itself to it; another that happens to run on it goes on on a different thread.
//
// On failure nothing has moved, and the lock is taken back, unless errors.Is(err, ErrStuck): as where a mount namespace could not
// be entered, and the thread no longer shares root and working directory with the others.
func Enter(hs ...*Handle) error {
	hs, err := arrange(hs)
	if err != nil {
		return err
	}
	leaveMainThread()
	v := &visit{hs: hs}
	held := v.hold(0, func() {
		var way []step
		var apart bool
		if way, apart, err = enter(v.hs, v.fds, reversible|PID); err == nil {
			closeAll(way)
			return
		}
		if back := goBack(way); back != nil {
			err = fmt.Errorf("%w (%w: %w)", err, ErrStuck, back)
		} else if apart {
			err = fmt.Errorf("%w (%w: its directories are its own)", err, ErrStuck)
		}
	})
	if held != nil {
		err = held
	}
	if err != nil && !errors.Is(err, ErrStuck) {
		runtime.UnlockOSThread()
	}
	return err
}

// leaveMainThread locks the calling goroutine to a thread, other than the main one unless the
// goroutine is locked to that already. To leave it, another goroutine has to take the main thread
// while this one waits; for a locked caller none ever can, and after some tries that is the conclusion.
func leaveMainThread() {
	for range 100 {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			return
		}
		runtime.UnlockOSThread()
		took, leave := make(chan bool), make(chan struct{})
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			took <- unix.Gettid() == unix.Getpid()
			<-leave
		}()
		if <-took {
			runtime.LockOSThread()
			close(leave)
			return
		}
		close(leave)
	}
	runtime.LockOSThread()
}

// A step is one namespace that a thread has left, so that it can go back.
type step struct {
	t    Type
	home int // a descriptor of the namespace left, or -1: no way back
}

// enter moves the calling thread into the namespaces hs, which fds has open, and returns the way
// back for the types in keep. On failure the way is that of the steps taken, and apart tells whether the thread has its root
// and working directory to itself by then, for which there is no way back.
func enter(hs []*Handle, fds []int, keep Type) (way []step, apart bool, err error) {
	for i, h := range hs {
		s := step{t: h.typ, home: -1}
		if keep.Has(h.typ) {
			s.home = home(h.typ)
		}
		if h.typ == Mount {
			// A thread that shares root and working directory with others may not change its
			// mount namespace, setns(2).
			err = unix.Unshare(unix.CLONE_FS)
			apart = err == nil
		}
		if err == nil {
			err = unix.Setns(fds[i], int(h.typ))
		}
		if err != nil {
			closeAll([]step{s})
			return way, apart, &Error{Op: "enter", Ref: h.ref(), Err: err}
		}
		way = append(way, s)
	}
	return way, false, nil
}

// goBack takes the steps of way back, the last first, and closes them. A step without a home is
// an error.
func goBack(way []step) (err error) {
	defer closeAll(way)
	for i := len(way) - 1; i >= 0; i-- {
		if way[i].home < 0 {
			return unix.EBADF
		}
		if err := unix.Setns(way[i].home, int(way[i].t)); err != nil {
			return err
		}
	}
	return nil
}

func closeAll(way []step) {
	for _, s := range way {
		if s.home >= 0 {
			unix.Close(s.home)
		}
	}
}

// home opens the namespace of type t in which the calling thread is, and for pid that of its
// children, without the cost of a Handle. Without /proc there is no way back: -1.
func home(t Type) int {
	var path string
	switch t {
	case Net:
		path = "/proc/thread-self/ns/net"
	case UTS:
		path = "/proc/thread-self/ns/uts"
	case IPC:
		path = "/proc/thread-self/ns/ipc"
	case Cgroup:
		path = "/proc/thread-self/ns/cgroup"
	case PID:
		path = "/proc/thread-self/ns/pid_for_children"
	}
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		switch err {
		case nil:
			return fd
		case unix.EINTR:
		default:
			return -1
		}
	}
}
