// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A visit is one stay of a thread in other namespaces.
type visit struct {
	hs      []*Handle // in the order of entering
	fds     []int     // their descriptors, while held
	own     []*Handle // those among hs that end with the visit
	async   bool      // nobody waits: f panics where it is
	doomed  bool      // the thread ends with the visit
	settled chan struct{}
}

// order is the order of entering. The types that a thread can leave again come first, so that a
// failure finds the way back open: no setns(2) into one of these types depends on another.
var order = [...]Type{Net, UTS, IPC, Cgroup, PID, Mount}

// reversible are the types that a visit leaves through the descriptor of where it came from. Not
// mnt, for that would lose root and working directory, and not pid: what a thread that cannot create
// threads costs to leave is not worth another kind of return.
const reversible = Net | UTS | IPC | Cgroup

// visits holds the visits under way by thread id, for a Do inside a Do.
var visits struct {
	sync.Mutex
	m map[int]*visit
}

// newVisit checks that hs can be entered, and adds the namespaces of the visit that the calling
// goroutine is on, for the types that hs leaves out.
func newVisit(hs []*Handle) (*visit, error) {
	hs, err := arrange(hs)
	if err != nil {
		return nil, err
	}
	v := &visit{hs: hs}
	if outer := current(); outer != nil {
		if err := v.inherit(outer); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// arrange returns hs in the order of entering, without user and time namespaces that are the
// caller's own: nothing has to be done for these, and setns(2) would refuse.
func arrange(hs []*Handle) ([]*Handle, error) {
	var have Type
	sorted := make([]*Handle, 0, len(hs)+1)
	for _, h := range hs {
		var err error
		switch t := h.Type(); {
		case t == 0:
			err = os.ErrClosed
		case have.Has(t):
			err = fmt.Errorf("a second %v namespace: %w", t, unix.EINVAL)
		case t == User:
			err = alreadyIn(h, unix.EINVAL)
		case t == Time:
			err = alreadyIn(h, unix.EUSERS)
		default:
			sorted = append(sorted, h)
		}
		if err != nil {
			return nil, &Error{Op: "enter", Ref: h.ref(), Err: err}
		}
		have |= h.Type()
	}
	sortHandles(sorted)
	return sorted, nil
}

func sortHandles(hs []*Handle) {
	if len(hs) > 1 {
		slices.SortFunc(hs, func(a, b *Handle) int {
			return slices.Index(order[:], a.typ) - slices.Index(order[:], b.typ)
		})
	}
}

// alreadyIn returns nil if the calling thread is in h, else ErrMultithreaded with the errno that
// setns(2) would give.
func alreadyIn(h *Handle, errno error) error {
	here, err := Current(h.Type())
	if err != nil {
		return err
	}
	defer here.Close()
	if here.ID() != h.ID() {
		return fmt.Errorf("%w: %w", ErrMultithreaded, errno)
	}
	return nil
}

// current returns the visit that the calling goroutine is on, or nil. Only the goroutine of f runs
// on the thread of a visit, for it is locked to it.
func current() *visit {
	tid := unix.Gettid()
	visits.Lock()
	defer visits.Unlock()
	return visits.m[tid]
}

// inherit adds the namespaces of the outer visit, duplicated: a visit of Go outlives the outer one.
func (v *visit) inherit(outer *visit) error {
	for i, h := range outer.hs {
		if slices.ContainsFunc(v.hs, func(x *Handle) bool { return x.typ == h.typ }) {
			continue
		}
		f, err := dupFile(outer.fds[i], h.ref())
		if err != nil {
			v.end()
			return &Error{Op: "enter", Ref: h.ref(), Err: err}
		}
		own := &Handle{file: f, typ: h.typ, id: h.id}
		v.own, v.hs = append(v.own, own), append(v.hs, own)
	}
	sortHandles(v.hs)
	return nil
}

// detach makes the visit independent of the caller's Handles.
func (v *visit) detach() error {
	for i, h := range v.hs {
		if slices.Contains(v.own, h) {
			continue
		}
		f, err := h.dup()
		if err != nil {
			v.end()
			return &Error{Op: "enter", Ref: h.ref(), Err: err}
		}
		v.hs[i] = &Handle{file: f, typ: h.typ, id: h.id}
		v.own = append(v.own, v.hs[i])
	}
	return nil
}

// do runs f on the visit and waits for it.
func (v *visit) do(f func() error) error {
	defer v.end()
	var o outcome
	err := v.hold(0, func() {
		out := make(chan outcome, 1)
		go v.run(f, out)
		o = <-out
	})
	if err != nil {
		return err
	}
	return o.deliver()
}

func (v *visit) end() {
	for _, h := range v.own {
		_ = h.Close()
	}
}

// run is the goroutine of a visit. It sends the outcome of f to out, or, if async, the reason why
// f never ran. Few and small frames lie below f: a goroutine starts with 2 KiB of stack, and to grow
// it costs as much as going to a namespace.
func (v *visit) run(f func() error, out chan<- outcome) {
	runtime.LockOSThread()
	tid := unix.Gettid()
	if tid == unix.Getpid() {
		// The main thread, gettid(2). While this goroutine keeps it locked, the next one cannot get it.
		v.settled = make(chan struct{})
		go v.run(f, out)
		<-v.settled
		runtime.UnlockOSThread()
		return
	}
	if v.settled != nil {
		close(v.settled)
	}

	var o outcome
	var way []step
	ran, done := false, false
	defer func() {
		if !done && !v.async {
			o.panicked = recover()
			o.goexit = o.panicked == nil
		}
		// One-way door: a thread that is not back stays locked, and so ends with this goroutine.
		if !v.doomed && goBack(way) == nil {
			runtime.UnlockOSThread()
		}
		if v.async {
			v.end()
		}
		if !v.async || !ran {
			out <- o
		}
	}()
	var apart bool
	way, apart, o.err = enter(v.hs, v.fds, v.keep())
	v.doomed = v.doomed || apart
	if o.err == nil {
		v.register(tid)
		defer unregister(tid)
		ran = true
		if v.async {
			out <- o // inside
		}
		o.err = f()
	}
	done = true
}

func (v *visit) register(tid int) {
	visits.Lock()
	defer visits.Unlock()
	if visits.m == nil {
		visits.m = make(map[int]*visit)
	}
	visits.m[tid] = v
}

func unregister(tid int) {
	visits.Lock()
	defer visits.Unlock()
	delete(visits.m, tid)
}

// keep returns the types for which to keep a way back: none, if the thread will end anyway.
func (v *visit) keep() Type {
	for _, h := range v.hs {
		if !reversible.Has(h.typ) {
			return 0
		}
	}
	return reversible
}

// hold keeps the descriptors of v.hs[i:] open while f runs.
func (v *visit) hold(i int, f func()) error {
	if i == len(v.hs) {
		f()
		return nil
	}
	var inner error
	err := v.hs[i].control(func(fd int) {
		v.fds = append(v.fds, fd)
		inner = v.hold(i+1, f)
	})
	if err != nil {
		return &Error{Op: "enter", Ref: v.hs[i].ref(), Err: err}
	}
	return inner
}
