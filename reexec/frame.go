// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// A frame is a header and a payload, little endian:
//
//	 0               4      5      6      8                             16
//	┌───────────────┬──────┬──────┬──────┬─────────────────────────────┬─────────
//	│ magic "alk1"  │ kind │ flags│ fds  │ length of the payload       │ payload
//	└───────────────┴──────┴──────┴──────┴─────────────────────────────┴─────────
//
// A conversation is strictly one request, one answer:
//
//	caller   call  param             then silence until the answer is complete
//	worker               log* … (result | fail)
//
//	call     8 bytes deadline, as nanoseconds of Unix time, 0: none
//	         8 bytes lowest level of the slog records that are wanted
//	         the name of the function
//	param    In as JSON
//	log      one slog record as JSON, see record
//	result   Out as JSON
//	fail     failure as JSON
//
// fds is the number of descriptors that came with the frame's first byte (SCM_RIGHTS, unix(7)).
const (
	magic      = "alk1"
	headerSize = 16
)

type kind uint8

const (
	kindCall kind = 1 + iota
	kindParam
	kindLog
	kindResult
	kindFail
)

// flagOnce in a call frame: the worker exits after the answer.
const flagOnce = 1

type header struct {
	kind   kind
	flags  uint8
	fds    uint16
	length uint64
}

func (h header) append(b []byte) []byte {
	b = append(b, magic...)
	b = append(b, byte(h.kind), h.flags)
	b = binary.LittleEndian.AppendUint16(b, h.fds)
	return binary.LittleEndian.AppendUint64(b, h.length)
}

func parseHeader(b []byte) (header, error) {
	if string(b[:4]) != magic {
		return header{}, fmt.Errorf("%w: magic %q", ErrProtocol, b[:4])
	}
	return header{
		kind:   kind(b[4]),
		flags:  b[5],
		fds:    binary.LittleEndian.Uint16(b[6:]),
		length: binary.LittleEndian.Uint64(b[8:]),
	}, nil
}

// link carries bytes, and descriptors with them.
type link interface {
	// recv blocks until there is something; 0 bytes and no error is the end.
	recv(p []byte) (n int, err error)
	// send blocks until some of p is taken.
	send(p []byte) (n int, err error)
}

// conn reads and writes frames. One goroutine may read while another writes.
type conn struct {
	link
	buf  []byte // what recv has given; buf[r:w] is not used yet
	r, w int
}

// bufSize is enough for a header and a small payload in one system call.
const bufSize = 4096

func newConn(l link) *conn { return &conn{link: l, buf: make([]byte, bufSize)} }

// next reads a header. io.EOF is the end between two frames.
func (c *conn) next() (header, error) {
	for c.w-c.r < headerSize {
		if c.r > 0 {
			c.w = copy(c.buf, c.buf[c.r:c.w])
			c.r = 0
		}
		n, err := c.recv(c.buf[c.w:])
		if err == nil && n == 0 {
			err = io.EOF
			if c.w > 0 {
				err = io.ErrUnexpectedEOF
			}
		}
		if err != nil {
			return header{}, err
		}
		c.w += n
	}
	h, err := parseHeader(c.buf[c.r:])
	c.r += headerSize
	return h, err
}

// gone reports whether err says that the other end of the socket has been closed. It is a reset where the other end had not
// read everything (unix(7)).
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// payload reads what belongs to h, at most limit bytes. Memory grows with what arrives, not with what is announced.
func (c *conn) payload(h header, limit int64) ([]byte, error) {
	if h.length > uint64(limit) {
		return nil, fmt.Errorf("%d bytes, %w of %d", h.length, ErrTooLarge, limit)
	}
	const first = 1 << 20
	p := make([]byte, 0, min(h.length, first))
	for uint64(len(p)) < h.length {
		if c.r < c.w {
			n := min(uint64(c.w-c.r), h.length-uint64(len(p)))
			p = append(p, c.buf[c.r:c.r+int(n)]...)
			c.r += int(n)
			continue
		}
		if len(p) == cap(p) {
			grown := make([]byte, len(p), min(h.length, 2*uint64(cap(p))))
			copy(grown, p)
			p = grown
		}
		n, err := c.recv(p[len(p):cap(p)])
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		p = p[:len(p)+n]
	}
	return p, nil
}

// sendAll writes every byte of the parts.
func (c *conn) sendAll(parts ...[]byte) error {
	for _, p := range parts {
		for len(p) > 0 {
			n, err := c.send(p)
			if err != nil {
				return err
			}
			p = p[n:]
		}
	}
	return nil
}

// joinBelow is the size below which a payload is copied behind its header, to go out in one system call.
const joinBelow = 64 << 10

// frames gives the bytes of a frame after those in b, as one part or two.
func frame(b []byte, h header, payload []byte) [][]byte {
	h.length = uint64(len(payload))
	b = h.append(b)
	if len(payload) < joinBelow {
		return [][]byte{append(b, payload...)}
	}
	return [][]byte{b, payload}
}
