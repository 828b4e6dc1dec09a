// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// parcel travels as JSON, bytes and strings as they are.
type parcel struct {
	Text string
	Data []byte
}

func parcelOf(size int) parcel {
	return parcel{strings.Repeat("\u2028\\ufffd\ufffd", size/12+1)[:size/12*12], bytes.Repeat([]byte{0xff, 0, 'x'}, size/3+1)[:size]}
}

var (
	sameParcel  = reexec.Register("same parcel", func(_ context.Context, p parcel) (parcel, error) { return p, nil })
	sameText    = reexec.Register("same text", func(_ context.Context, s string) (string, error) { return s, nil })
	sendParcels = reexec.RegisterStream("send parcels", func(_ context.Context, sizes []int) iter.Seq2[parcel, error] {
		return func(yield func(parcel, error) bool) {
			for _, size := range sizes {
				if !yield(parcelOf(size), nil) {
					return
				}
			}
		}
	})
	sendText = reexec.Register("send text", func(_ context.Context, size int) (string, error) { return strings.Repeat("x", size), nil })
)

// most is the largest parameter, result and item of these tests.
const most = 4 << 20

var sizes = []int{0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20}

// narrow starts a worker whose socket holds no more than the kernel's least, socket(7), at both ends.
type narrow struct{ reexec.Starter }

func (n narrow) Start(cmd *exec.Cmd) error {
	for fd := range ownDescriptors() { // the caller's end is among them
		if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); err == nil && kind == unix.SOCK_STREAM {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 1); err != nil {
				return err
			}
		}
	}
	if n.Starter == nil {
		return cmd.Start()
	}
	return n.Starter.Start(cmd)
}

func TestPromise06AResultIsExact(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		for _, wide := range []bool{true, false} {
			t.Run(fmt.Sprintf("wide=%t", wide), func(t *testing.T) {
				at, sizes := at, sizes
				if !wide {
					at.starter = narrow{at.starter}
				}
				if !wide || raceEnabled { // a narrow socket takes a switch between the processes every few kilobytes
					sizes = sizes[:len(sizes)-1]
				}
				on := at.mustOn(t, reexec.Process{MaxResult: most, MaxParam: most})
				for _, size := range sizes {
					requireExact(t, on, size)
				}
				i := 0
				for p, err := range sendParcels.Call(t.Context(), on, sizes) {
					require.NoError(t, err)
					require.Equal(t, parcelOf(sizes[i]), p)
					i++
				}
				require.Equal(t, len(sizes), i)
			})
		}
	})
}

func requireExact(t *testing.T, on reexec.Runner, size int) {
	t.Helper()
	in := parcelOf(size)
	p, err := sameParcel.Call(t.Context(), on, in)
	require.NoError(t, err)
	require.Equal(t, in.Text, p.Text)
	require.True(t, bytes.Equal(in.Data, p.Data), "%d bytes", size)
	b, err := sameBytes.Call(t.Context(), on, in.Data)
	require.NoError(t, err)
	require.True(t, bytes.Equal(in.Data, b), "%d bytes", size)
	s, err := sameText.Call(t.Context(), on, string(in.Data)) // no UTF-8
	require.NoError(t, err)
	require.True(t, s == string(in.Data), "%d bytes", size)
}

func TestPromise06ALimitIsExact(t *testing.T) {
	const itemFrame = len(`[""]`) // the array around the one item
	atBothEnds(t, func(t *testing.T, at place) {
		for _, over := range []int{-1, 0, 1} {
			t.Run(fmt.Sprint(over), func(t *testing.T) {
				on := at.mustOn(t, reexec.Process{MaxResult: most, MaxParam: most})
				out, err := sendText.Call(t.Context(), on, most+over)
				requireLimit(t, err, over, reexec.StageResult)
				require.Equal(t, strings.Repeat("x", most+over)[:len(out)], out)
				require.Equal(t, over <= 0, out != "")
				n, err := textLen.Call(t.Context(), on, strings.Repeat("x", most+over))
				requireLimit(t, err, over, reexec.StageParam)
				require.Equal(t, over <= 0, n == most+over)
				items, last := 0, error(nil)
				for item, err := range sendItem.Call(t.Context(), on, most-itemFrame+over) {
					if last = err; err == nil {
						require.Len(t, item, most-itemFrame+over)
						items++
					}
				}
				requireLimit(t, last, over, reexec.StageResult)
				require.Equal(t, over <= 0, items == 1)
			})
		}
	})
}

var (
	textLen  = reexec.Register("text len", func(_ context.Context, s string) (int, error) { return len(s), nil })
	sendItem = reexec.RegisterStream("send item", func(_ context.Context, size int) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield(strings.Repeat("x", size), nil) }
	})
)

func requireLimit(t *testing.T, err error, over int, stage reexec.Stage) {
	t.Helper()
	if over <= 0 {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, reexec.ErrTooLarge)
	var e *reexec.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, stage, e.Stage)
}

// A pipe for standard error that holds a page: the worker is held up by its reader, and nothing is lost.
func TestPromise06StandardErrorIsExact(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		for _, size := range append(sizes, 300_000) {
			var stderr bytes.Buffer
			on, end, err := at.on(reexec.Process{Stderr: &stderr, Grace: patience}) // see Process.Stderr
			require.NoError(t, err)
			said, err := speak.Call(t.Context(), on, size)
			end()
			require.NoError(t, err)
			require.Equal(t, size, said)
			require.True(t, bytes.Equal(parcelOf(size).Data, detector.ReplaceAll(stderr.Bytes(), nil)), "%d bytes, not %d", stderr.Len(), size)
		}
	})
}

var speak = reexec.Register("speak", func(_ context.Context, size int) (int, error) {
	if _, err := unix.FcntlInt(2, unix.F_SETPIPE_SZ, 4096); err != nil {
		return 0, err
	}
	return os.Stderr.Write(parcelOf(size).Data)
})

// broken is where a worker writes a part of an answer, and ends.
type broken struct {
	Bytes  int // of a frame of 1000 bytes
	Killed bool
}

const whole = 16 + 1000

func (b broken) end() {
	part := frame(resultFrame, []byte(`"`+strings.Repeat("x", 998)+`"`))[:b.Bytes]
	if err := scribble(part); err != nil {
		panic(err)
	}
	if b.Killed {
		unix.Kill(os.Getpid(), unix.SIGKILL)
	}
	os.Exit(0)
}

var (
	breakOff    = reexec.Register("break off", func(_ context.Context, b broken) (string, error) { b.end(); return "", nil })
	breakStream = reexec.RegisterStream("break off, streamed", func(_ context.Context, b broken) iter.Seq2[string, error] {
		return func(func(string, error) bool) { b.end() }
	})
)

func TestPromise06APartIsNoResult(t *testing.T) {
	for i := range whole {
		if i > 20 && i < whole-4 && i%97 != 0 {
			continue
		}
		b := broken{i, i%2 == 0}
		out, err := breakOff.Call(t.Context(), nil, b)
		require.ErrorIs(t, err, reexec.ErrNoResult, "%d bytes", i)
		require.Empty(t, out)
		for item, err := range breakStream.Call(t.Context(), nil, b) {
			require.ErrorIs(t, err, reexec.ErrNoResult, "%d bytes", i)
			require.Empty(t, item)
		}
	}
	out, err := breakOff.Call(t.Context(), nil, broken{whole, false})
	require.NoError(t, err, "all of it is one")
	require.Equal(t, strings.Repeat("x", 998), out)
}

// doomed is a result of a worker that kills itself meanwhile.
type doomed struct {
	Size  int
	After time.Duration
}

func (d doomed) set() {
	go func() {
		for begun := time.Now(); time.Since(begun) < d.After; {
		}
		unix.Kill(os.Getpid(), unix.SIGKILL)
	}()
}

var (
	dieAndSend = reexec.Register("die and send", func(_ context.Context, d doomed) ([]byte, error) {
		b := parcelOf(d.Size).Data
		d.set()
		return b, nil
	})
	dieAndStream = reexec.RegisterStream("die and stream", func(_ context.Context, d doomed) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			d.set()
			for i := range d.Size {
				if !yield(i, nil) {
					return
				}
			}
		}
	})
)

// The worker is killed at a random time while a large result is on its way.
func TestPromise06AResultThatIsCutOff(t *testing.T) {
	size, rounds := 8<<20, 40
	switch {
	case full:
		rounds = 2000
	case raceEnabled:
		size, rounds = 1<<20, 10
	}
	whole := parcelOf(size).Data
	random := rand.New(rand.NewPCG(6, 6))
	exact, cut := 0, 0
	for i := range rounds {
		d := doomed{size, time.Duration(random.Int64N(int64(10 * time.Millisecond)))}
		if i == 0 {
			d.After = 0
		}
		out, err := dieAndSend.Call(t.Context(), nil, d)
		if err == nil {
			require.True(t, bytes.Equal(whole, out))
			exact++
		} else {
			require.ErrorIs(t, err, reexec.ErrNoResult)
			require.Nil(t, out)
			cut++
		}
		items, last := 0, error(nil)
		d.Size = 100_000
		for item, err := range dieAndStream.Call(t.Context(), nil, d) {
			require.NoError(t, last)
			if last = err; err == nil {
				require.Equal(t, items, item)
				items++
			}
		}
		if last == nil {
			require.Equal(t, d.Size, items)
		} else {
			require.ErrorIs(t, last, reexec.ErrNoResult)
		}
	}
	t.Logf("%d results were exact, %d cut off", exact, cut)
	require.Positive(t, cut)
}
