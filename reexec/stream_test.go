// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

type order struct {
	N    int
	Size int
	End  string // how it ends: an entry of failures, or "hang"
}

type item struct {
	I    int
	Text string
}

var (
	count = reexec.RegisterStream("count", func(ctx context.Context, o order) iter.Seq2[item, error] {
		return func(yield func(item, error) bool) {
			text := strings.Repeat("x", o.Size)
			for i := range o.N {
				if !yield(item{i, text}, nil) {
					return
				}
			}
			switch o.End {
			case "":
			case "hang":
				<-ctx.Done()
			default:
				yield(item{}, failures[o.End]())
			}
		}
	})
	tick = reexec.RegisterStream("tick", func(_ context.Context, in reexec.File) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			var b [16]byte
			for { // answers each line with itself, so it must not be kept waiting for more
				n, err := in.Read(b[:])
				if err == io.EOF {
					return
				}
				if !yield(string(b[:n]), err) {
					return
				}
			}
		}
	})
	fileStream = reexec.RegisterStream("files", func(_ context.Context, n int) iter.Seq2[reexec.File, error] {
		return func(yield func(reexec.File, error) bool) {
			for range n {
				f, err := os.Open("/dev/zero")
				if !yield(reexec.File{File: f}, err) {
					return
				}
			}
		}
	})
)

func runners() map[string]reexec.Runner {
	return map[string]reexec.Runner{"process": nil, "here": reexec.InProcess()}
}

func TestStreamInOrderToItsEnd(t *testing.T) {
	for name, on := range runners() {
		for _, o := range []order{{}, {N: 1}, {N: 3, Size: 1 << 20}, {N: 100_000, Size: 10}, {N: 5, Size: 65530}} {
			t.Run(fmt.Sprint(name, o), func(t *testing.T) {
				n := 0
				for it, err := range count.Call(bg(), on, o) {
					require.NoError(t, err)
					require.Equal(t, n, it.I)
					require.Len(t, it.Text, o.Size)
					n++
				}
				require.Equal(t, o.N, n)
			})
		}
	}
}

func TestStreamErrorComesAfterTheLastItem(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceEnabled {
		n /= 10
	}
	got := 0
	var last error
	for _, err := range count.Call(bg(), nil, order{N: n, End: "errno"}) {
		if err != nil {
			last = err
			continue
		}
		require.NoError(t, last)
		got++
	}
	require.Equal(t, n, got)
	require.ErrorIs(t, last, unix.EPERM)
	require.EqualError(t, last, "reexec: count: run: operation not permitted")
}

func TestStreamErrors(t *testing.T) {
	for name, on := range runners() {
		for how, want := range map[string]error{"panic": reexec.ErrPanic, "path": os.ErrNotExist, "goexit": reexec.ErrGoexit} {
			t.Run(name+how, func(t *testing.T) {
				got, n := error(nil), 0
				for _, err := range count.Call(bg(), on, order{N: 3, End: how}) {
					if err != nil {
						got = err
					} else {
						n++
					}
				}
				require.ErrorIs(t, got, want)
				if how == "path" {
					require.Equal(t, 3, n)
				}
			})
		}
	}
	for _, err := range (reexec.Stream[int, int]{}).Call(bg(), nil, 1) {
		require.ErrorIs(t, err, reexec.ErrNotRegistered)
	}
}

func TestBreakEndsTheWorker(t *testing.T) {
	for name, on := range runners() {
		t.Run(name, func(t *testing.T) {
			for it, err := range count.Call(bg(), on, order{N: 1 << 30}) {
				require.NoError(t, err)
				if it.I == 1000 {
					break
				}
			}
		})
	}
	require.PanicsWithValue(t, "in the loop", func() {
		for range count.Call(bg(), nil, order{N: 1 << 30}) {
			panic("in the loop")
		}
	})
}

func TestStreamItemDoesNotWaitForMore(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	_, err = w.WriteString("go")
	require.NoError(t, err)
	n := 0
	for line, err := range tick.Call(bg(), nil, reexec.File{File: r}) {
		require.NoError(t, err)
		require.Equal(t, "go", line)
		if n++; n == 100 {
			w.Close()
			continue
		}
		_, err = w.WriteString("go") // only now is there more
		require.NoError(t, err)
	}
	require.Equal(t, 100, n)
	r.Close()
}

func TestStreamCancelled(t *testing.T) {
	for name, on := range runners() {
		t.Run(name, func(t *testing.T) {
			why := errors.New("enough")
			ctx, cancel := context.WithCancelCause(bg())
			defer cancel(nil)
			var last error
			n := 0
			for _, err := range count.Call(ctx, on, order{N: 10, End: "hang"}) {
				last = err
				if n++; n == 10 {
					cancel(why)
				}
			}
			if name == "process" {
				require.ErrorIs(t, last, why)
				require.ErrorIs(t, last, context.Canceled)
			}
		})
	}
}

func TestFilesInAStream(t *testing.T) {
	n := 0
	for f, err := range fileStream.Call(bg(), nil, 300) {
		require.NoError(t, err)
		require.NoError(t, f.Close())
		n++
	}
	require.Equal(t, 300, n)
	before := countFDs(t)
	for f, err := range fileStream.Call(bg(), nil, 300) {
		require.NoError(t, err)
		require.NoError(t, f.Close())
		break
	}
	require.Eventually(t, func() bool { return countFDs(t) <= before }, time.Minute, time.Millisecond)
}
