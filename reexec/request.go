// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"time"
)

// request is what a worker is asked for.
type request struct {
	name     string
	deadline time.Time // zero: none
	level    slog.Level
	limit    int64 // of the answer's payload, in bytes
	once     bool
	param    *message
}

const callFixed = 24 // the bytes before the name in a call frame

// parts gives the bytes of the request.
func (q *request) parts() []part {
	h := header{kind: kindCall, length: uint64(callFixed + len(q.name))}
	if q.once {
		h.flags = flagOnce
	}
	b := h.append(make([]byte, 0, 2*headerSize+callFixed+len(q.name)+min(len(q.param.json), joinBelow)))
	var deadline int64
	if !q.deadline.IsZero() {
		deadline = q.deadline.UnixNano()
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(deadline))
	b = binary.LittleEndian.AppendUint64(b, uint64(q.level))
	b = binary.LittleEndian.AppendUint64(b, uint64(q.limit))
	return q.param.parts(append(b, q.name...), header{kind: kindParam})
}

// readRequest reads a whole request, so that a function runs only when the caller needs to write no more.
func (c *conn) readRequest() (*request, error) {
	h, err := c.next()
	if err != nil {
		return nil, err
	}
	if h.kind != kindCall || h.length < callFixed {
		return nil, fmt.Errorf("%w: kind %d where a call should be", ErrProtocol, h.kind)
	}
	b, err := c.payload(h, callFixed+math.MaxUint16)
	if err != nil {
		return nil, err
	}
	q := &request{
		name:  string(b[callFixed:]),
		level: slog.Level(binary.LittleEndian.Uint64(b[8:])),
		limit: int64(binary.LittleEndian.Uint64(b[16:])),
		once:  h.flags&flagOnce != 0,
	}
	if ns := int64(binary.LittleEndian.Uint64(b)); ns != 0 {
		q.deadline = time.Unix(0, ns)
	}
	h, err = c.next()
	if err == nil && h.kind != kindParam {
		err = fmt.Errorf("%w: kind %d where a parameter should be", ErrProtocol, h.kind)
	}
	if err != nil {
		return nil, err
	}
	q.param, err = c.message(h, math.MaxInt64)
	return q, err
}

// context gives the context that a function of this request runs with.
func (q *request) context() (context.Context, context.CancelFunc) {
	if q.deadline.IsZero() {
		return context.WithCancel(context.Background())
	}
	return context.WithDeadline(context.Background(), q.deadline)
}
