// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tape is a link that gives what it was made with, in pieces, and keeps what is sent.
type tape struct {
	in   io.Reader
	sent bytes.Buffer
}

func (t *tape) recv(p []byte) (int, []int, error) {
	n, err := t.in.Read(p)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, nil, err
}

func (t *tape) send(p []byte, _ []int) (int, error) { return t.sent.Write(p) }

func TestRequestSurvivesAnyPieces(t *testing.T) {
	for _, n := range []int{0, 1, 100, bufSize - headerSize, bufSize, joinBelow - 1, joinBelow, joinBelow + 1, 3 << 20} {
		want := request{
			name: "ünï", deadline: time.Unix(0, 12345), level: slog.LevelDebug, limit: 99, once: true,
			param: &message{json: bytes.Repeat([]byte("x"), n)},
		}
		var whole tape
		require.NoError(t, newConn(&whole).sendAll(want.parts()))
		for _, piece := range []int{1, 7, bufSize, 1 << 30} {
			if piece == 1 && n > 1<<20 {
				continue
			}
			in := &tape{in: &pieces{bytes.NewReader(whole.sent.Bytes()), piece}}
			got, err := newConn(in).readRequest()
			require.NoError(t, err)
			require.Equal(t, want.name, got.name)
			require.True(t, want.deadline.Equal(got.deadline))
			require.Equal(t, want.level, got.level)
			require.Equal(t, want.limit, got.limit)
			require.True(t, got.once)
			require.True(t, bytes.Equal(want.param.json, got.param.json))
		}
	}
}

// pieces reads some bytes at a time.
type pieces struct {
	r io.Reader
	n int
}

func (p *pieces) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

func TestTruncationAtEveryByteIsAnError(t *testing.T) {
	q := request{name: "f", param: &message{json: []byte(`{"a":1}`)}}
	var whole tape
	require.NoError(t, newConn(&whole).sendAll(q.parts()))
	for n := range whole.sent.Len() {
		_, err := newConn(&tape{in: bytes.NewReader(whole.sent.Bytes()[:n])}).readRequest()
		require.True(t, gone(err), "%d bytes: %v", n, err)
	}
}

func TestAnnouncedLengthTakesNoMemory(t *testing.T) {
	b := header{kind: kindResult, length: 1 << 29}.append(nil)
	c := newConn(&tape{in: bytes.NewReader(b)})
	h, err := c.next()
	require.NoError(t, err)
	n := testing.AllocsPerRun(1, func() { _, err = c.payload(h, 1<<30) })
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Less(t, n, 10.0)
	_, err = c.payload(header{length: 1 << 63}, 1<<30)
	require.ErrorIs(t, err, ErrTooLarge)
}

// FuzzAnswer has a hostile worker answer.
func FuzzAnswer(f *testing.F) {
	add := func(h header, payload string) {
		h.length = uint64(len(payload))
		f.Add(append(h.append(nil), payload...))
	}
	add(header{kind: kindResult}, `1`)
	add(header{kind: kindFail}, `{"stage":"run","err":{"msg":"m","type":"path","op":"o","path":"p","wraps":[{"type":"errno","errno":2}]}}`)
	add(header{kind: kindLog}, `{"msg":"m","attrs":[{"k":"k","t":7,"v":1},{"k":"g","t":8,"g":[{"k":"a","t":0,"v":null}]}]}`)
	add(header{kind: kindItems}, `[1,2]`)
	add(header{kind: kindFiles, fds: 1}, "1234")
	f.Fuzz(func(t *testing.T, b []byte) {
		c := call{entry: &entry{name: "f"}, emit: func(*message) error { return nil }}
		conn := newConn(&tape{in: bytes.NewReader(b)})
		ended, err := c.answer(context.Background(), conn, slog.DiscardHandler, 1<<20)
		if ended && err == nil && c.result == nil {
			t.Error("neither result nor error")
		}
		if err != nil {
			_ = err.Error()
		}
	})
}

// FuzzRequest has something else than a caller call.
func FuzzRequest(f *testing.F) {
	q := request{name: "f", param: &message{json: []byte("1")}}
	var whole tape
	if err := newConn(&whole).sendAll(q.parts()); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.sent.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := newConn(&tape{in: bytes.NewReader(b)}).readRequest()
		if (q == nil || q.param == nil) && err == nil {
			t.Error("neither request nor error")
		}
	})
}

// FuzzHeader reads what is written, and takes nothing else for a header.
func FuzzHeader(f *testing.F) {
	f.Add(header{kind: kindCall, flags: flagOnce, fds: 250, length: 1<<63 + 1}.append(nil))
	f.Add(make([]byte, headerSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := newConn(&tape{in: bytes.NewReader(b)}).header()
		switch {
		case err == nil:
			require.Equal(t, b[:headerSize], h.append(nil))
		case len(b) >= headerSize:
			require.ErrorIs(t, err, ErrProtocol)
		case len(b) > 0:
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		default:
			require.ErrorIs(t, err, io.EOF)
		}
	})
}

// FuzzMessages reads headers and payloads for as long as there are any, in pieces of any size: the pieces make no difference.
func FuzzMessages(f *testing.F) {
	two := header{kind: kindItems, length: 2}.append(nil)
	two = append(two, "[]"...)
	f.Add(append(two, header{kind: kindResult}.append(nil)...), uint16(1))
	f.Add(append(header{kind: kindFiles}.append(nil), two...), uint16(3))
	f.Add(header{kind: kindParam, length: 1 << 20}.append(nil), uint16(headerSize))
	f.Fuzz(func(t *testing.T, b []byte, piece uint16) {
		read := func(in io.Reader) (payloads [][]byte, err error) {
			c := newConn(&tape{in: in})
			for {
				h, err := c.next()
				if err != nil {
					return payloads, err
				}
				m, err := c.message(h, 1<<20)
				if err != nil {
					return payloads, err
				}
				payloads = append(payloads, m.json)
			}
		}
		at, errAt := read(bytes.NewReader(b))
		by, errBy := read(&pieces{bytes.NewReader(b), int(piece) + 1})
		require.Equal(t, at, by)
		require.Equal(t, errAt.Error(), errBy.Error())
	})
}

// FuzzFailure and FuzzRecord read what a worker says went wrong, and what it logs.
func FuzzFailure(f *testing.F) {
	f.Add([]byte(`{"stage":"run","err":{"msg":"m","wraps":[{"type":"call","op":"o","wraps":[{"type":"errno","errno":2}]}]}}`))
	f.Add([]byte(`{"err":{"is":["io.EOF","fs.ErrExist"],"wraps":[{},{"type":"link"}]}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		failed, err := readFailure("f", &message{json: b})
		if err != nil {
			require.ErrorIs(t, err, ErrProtocol)
			return
		}
		_ = failed.Error()
		_ = encodeCause(failed, 0)
	})
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"msg":"m","level":"INFO","attrs":[{"k":"g","t":8,"g":[{"k":"a","t":0,"v":null}]}]}`))
	for kind := range slog.KindLogValuer + 1 {
		f.Add(fmt.Appendf(nil, `{"attrs":[{"k":"k","t":%d,"v":1}]}`, kind))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		if err := handle(context.Background(), slog.NewTextHandler(&out, nil), b); err != nil {
			require.ErrorIs(t, err, ErrProtocol)
			require.Zero(t, out.Len())
		}
	})
}

func TestReplacedTellsTheTwoApart(t *testing.T) {
	for s, bad := range map[string]bool{
		"\xff": true, "a\xffb": true, "\ufffd": false, `\ufffd`: false, `\\ufffd`: false, "\\\xff": true, "": false, "ok": false,
	} {
		_, err := encode([]string{s})
		require.Equal(t, bad, errors.Is(err, ErrNotUTF8), "%q", s)
	}
}
