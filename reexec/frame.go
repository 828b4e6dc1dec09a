// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
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
//	caller   call  files* param             then silence until the answer is complete
//	worker               (log | files* items)* (files* result | fail)
//
//	call     8 bytes deadline, as nanoseconds of Unix time, 0: none
//	         8 bytes lowest level of the slog records that are wanted
//	         8 bytes largest payload that is wanted of the worker
//	         the name of the function
//	files    4 bytes for each descriptor that came with the frame: the number that the next frame's JSON calls it by
//	param    In as JSON; a string or a []byte as it is, and flagged so
//	log      one slog record as JSON, see record
//	items    what a stream has yielded, as a JSON array of Out
//	result   Out, likewise; the end of a stream has no payload
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
	kindFiles
	kindParam
	kindLog
	kindItems
	kindResult
	kindFail
)

const (
	flagOnce  = 1 // in a call: the worker exits after the answer
	flagRaw   = 4 // in a param or result: a string or a []byte as it is, not as JSON
	flagDirty = 2 // in a result: the function has left state behind, so the worker must not be used again
)

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
	recv(p []byte) (n int, fds []int, err error)
	// send blocks until some of p is taken, and with its first byte the descriptors.
	send(p []byte, fds []int) (n int, err error)
}

// conn reads and writes frames. One goroutine may read while others write.
type conn struct {
	link
	writing sync.Mutex
	buf     []byte // what recv has given; buf[r:w] is not used yet
	r, w    int
	came    []int        // descriptors that recv has given and no files frame has claimed
	files   []descriptor // those of the files frames since the last message
}

// bufSize is enough for a header and a small payload in one system call.
const bufSize = 4096

func newConn(l link) *conn { return &conn{link: l, buf: make([]byte, bufSize)} }

// fill reads once more.
func (c *conn) fill(p []byte) (int, error) {
	n, fds, err := c.recv(p)
	c.came = append(c.came, fds...)
	return n, err
}

// next reads a header, after the files frames before it. io.EOF is the end between two frames.
func (c *conn) next() (header, error) {
	for {
		h, err := c.header()
		if err != nil || h.kind != kindFiles {
			return h, err
		}
		if len(c.came) < int(h.fds) || h.length != 4*uint64(h.fds) {
			return h, fmt.Errorf("%w: descriptors are missing", ErrProtocol)
		}
		keys, err := c.payload(h, 4*maxFDs)
		if err != nil {
			return h, err
		}
		for i, fd := range c.came[:h.fds] {
			c.files = append(c.files, descriptor{int(binary.LittleEndian.Uint32(keys[4*i:])), fd})
		}
		c.came = c.came[h.fds:]
	}
}

func (c *conn) header() (header, error) {
	for c.w-c.r < headerSize {
		if c.r > 0 {
			c.w = copy(c.buf, c.buf[c.r:c.w])
			c.r = 0
		}
		n, err := c.fill(c.buf[c.w:])
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

// message reads what belongs to h, and takes the descriptors that came ahead of it.
func (c *conn) message(h header, limit int64) (*message, error) {
	p, err := c.payload(h, limit)
	if err != nil {
		return nil, err
	}
	m := &message{json: p, raw: h.flags&flagRaw != 0, files: c.files}
	c.files = nil
	return m, nil
}

// drop closes the descriptors that no message has taken.
func (c *conn) drop() {
	for _, fd := range c.came {
		closeDescriptor(fd)
	}
	c.came = nil
	(&message{files: c.files}).close()
	c.files = nil
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
		return nil, tooLarge(h.length, limit)
	}
	// Memory that the program has had before is written to when it is allocated. A large payload is copied once for that.
	const first, second = 4 << 20, 64 << 20
	p := make([]byte, 0, min(h.length, first))
	for uint64(len(p)) < h.length {
		if c.r < c.w {
			n := min(uint64(c.w-c.r), h.length-uint64(len(p)))
			p = append(p, c.buf[c.r:c.r+int(n)]...)
			c.r += int(n)
			continue
		}
		if len(p) == cap(p) {
			grown := make([]byte, len(p), min(h.length, max(second, 2*uint64(cap(p)))))
			copy(grown, p)
			p = grown
		}
		n, err := c.fill(p[len(p):cap(p)])
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

// sendAll writes every byte of the parts, with nothing in between.
func (c *conn) sendAll(parts []part) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	for _, p := range parts {
		for fds := p.fds; len(p.b) > 0; fds = nil {
			n, err := c.send(p.b, fds)
			if err != nil {
				return err
			}
			p.b = p.b[n:]
		}
	}
	return nil
}
