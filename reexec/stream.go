// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"sync"
	"time"
)

// Stream is a registered function that takes an In and gives any number of Outs, one after the other, in another process.
// The zero Stream calls nothing: its Call gives ErrNotRegistered.
type Stream[In, Out any] struct{ entry *entry }

// RegisterStream is Register for a function that gives a sequence. The first error that f yields ends the sequence; the Out
// beside it is dropped. What f yields is encoded before yield returns, and may be changed after. When yield returns false
// f must return, as always; its process is about to be killed.
func RegisterStream[In, Out any](name string, f func(context.Context, In) iter.Seq2[Out, error]) Stream[In, Out] {
	e := &entry{name: name}
	e.run = func(ctx context.Context, param *message, emit func(*message) error, limit int64) (*message, Stage, error) {
		var in In
		if err := param.decode(&in); err != nil {
			return nil, StageParam, err
		}
		defer closeFiles(&in)
		b := newBatch(reflect.TypeFor[Out](), emit, limit)
		defer b.stop()
		for out, err := range f(ctx, in) {
			if err == nil {
				err = b.add(out)
				closeFiles(&out)
				if err != nil {
					return nil, StageResult, err
				}
				continue
			}
			closeFiles(&out)
			if flushErr := b.flush(); flushErr != nil {
				return nil, StageResult, flushErr
			}
			return nil, StageRun, err
		}
		if err := b.flush(); err != nil {
			return nil, StageResult, err
		}
		return &message{}, "", nil
	}
	registry.add(e)
	return Stream[In, Out]{e}
}

// Name returns the name that s is registered under, "" for the zero Stream.
func (s Stream[In, Out]) Name() string { return Func[In, Out](s).Name() }

// Call runs the function with in where the Runner says, each time that the sequence is ranged over. The worker is held up
// when the caller is slow: what lies between the two is a few hundred kilobytes, at any length of the sequence. Breaking out
// of the loop ends the worker. An error is the last thing that the sequence yields, an *Error beside the zero Out.
//
// The context is as for [Func.Call]; it is in force until the sequence ends.
func (s Stream[In, Out]) Call(ctx context.Context, on Runner, in In) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		var zero Out
		if s.entry == nil {
			yield(zero, &Error{Stage: StageCall, Err: ErrNotRegistered})
			return
		}
		c := &call{entry: s.entry}
		c.emit = func(m *message) error {
			var items []Out
			if err := m.decode(&items); err != nil {
				return &Error{Func: s.entry.name, Stage: StageResult, Err: err}
			}
			for i, item := range items {
				if !yield(item, nil) {
					rest := items[i+1:]
					closeFiles(&rest)
					return errBreak
				}
			}
			return nil
		}
		err := c.do(ctx, on, in)
		if err != nil && !errors.Is(err, errBreak) {
			yield(zero, err)
		}
	}
}

// errBreak ends a call whose caller has broken out of the loop.
var errBreak = errors.New("break")

const (
	// batchSize is how many bytes of items are gathered into a frame: enough that a small item costs no system call.
	batchSize = 64 << 10
	// batchDelay is how long an item may wait for more. One that comes after a pause as long does not wait at all.
	batchDelay = time.Millisecond
)

// batch gathers the items of a stream into frames.
type batch struct {
	emit  func(*message) error
	size  int
	limit int64
	alone bool // items hold descriptors, and each is sent by itself

	mu     sync.Mutex
	buf    bytes.Buffer // a JSON array without its end
	enc    *json.Encoder
	timer  *time.Timer
	sentAt time.Time
	err    error // of an emit, for good
}

func newBatch(item reflect.Type, emit func(*message) error, limit int64) *batch {
	b := &batch{emit: emit, limit: limit, size: int(min(batchSize, limit)), alone: holdsFiles(item)}
	b.enc = json.NewEncoder(&b.buf)
	b.timer = time.AfterFunc(time.Hour, func() { b.flush() })
	b.timer.Stop()
	return b
}

// add puts v into a frame that is sent soon.
func (b *batch) add(v any) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	if b.alone {
		return b.send(v)
	}
	start := b.buf.Len()
	if start == 0 {
		b.buf.WriteByte('[')
	}
	if err := b.enc.Encode(v); err != nil {
		b.buf.Truncate(start)
		return err
	}
	item := b.buf.Bytes()[start:]
	if replaced(item) {
		b.buf.Truncate(start)
		return ErrNotUTF8
	}
	if n := b.buf.Len(); start > 0 && int64(n) > b.limit { // this item belongs to the next frame
		next := bytes.Clone(item)
		b.buf.Truncate(start)
		if err := b.flushLocked(); err != nil {
			return err
		}
		b.buf.WriteByte('[')
		b.buf.Write(next)
		start = 0
	}
	n := b.buf.Len()
	if int64(n) > b.limit {
		b.buf.Reset()
		return tooLarge(uint64(n), b.limit)
	}
	b.buf.Bytes()[n-1] = ',' // where Encode put the end of the line
	if n >= b.size || start == 0 && time.Since(b.sentAt) >= batchDelay {
		return b.flushLocked()
	}
	if start == 0 {
		b.timer.Reset(batchDelay)
	}
	return nil
}

// send sends v by itself. The caller holds mu.
func (b *batch) send(v any) error {
	one := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(v)), 1, 1)
	one.Index(0).Set(reflect.ValueOf(v))
	m, err := encode(one.Interface())
	if err != nil {
		return err
	}
	defer m.close()
	if int64(len(m.json)) > b.limit {
		return tooLarge(uint64(len(m.json)), b.limit)
	}
	b.err = b.emit(m)
	return b.err
}

// flush sends what has been gathered.
func (b *batch) flush() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.flushLocked()
}

func (b *batch) flushLocked() error {
	if b.err != nil || b.buf.Len() == 0 {
		return b.err
	}
	b.buf.Bytes()[b.buf.Len()-1] = ']'
	b.err = b.emit(&message{json: b.buf.Bytes()})
	b.buf.Reset()
	b.sentAt = time.Now()
	return b.err
}

// stop ends the timer; nothing is sent any more.
func (b *batch) stop() {
	b.timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = errBreak
}
