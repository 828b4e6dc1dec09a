// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// strange is a value that may be more than JSON can hold.
type strange struct {
	Number float64
	Way    *oneWay
	Func   func() `json:"func,omitzero"`
}

// oneWay can be marshalled, and not be unmarshalled again.
type oneWay struct{}

func (oneWay) MarshalJSON() ([]byte, error) { return []byte(`"there"`), nil }
func (*oneWay) UnmarshalJSON([]byte) error  { return errors.New("there is no way back") }

// wrong is something that a function does instead of returning, or what it returns.
type wrong struct {
	do    func() strange
	want  error        // what the error is, if it is a known one
	stage reexec.Stage // where it is from
}

var wrongs = map[string]wrong{
	"panics":               {func() strange { panic("boom") }, reexec.ErrPanic, reexec.StageRun},
	"panics with an errno": {func() strange { panic(unix.ENOTTY) }, unix.ENOTTY, reexec.StageRun},
	"panics elsewhere":     {func() strange { go panic("elsewhere"); select {} }, reexec.ErrNoResult, reexec.StageRun},
	"calls os.Exit(0)":     {func() strange { os.Exit(0); return strange{} }, reexec.ErrNoResult, reexec.StageRun},
	"calls Goexit":         {func() strange { runtime.Goexit(); return strange{} }, reexec.ErrGoexit, reexec.StageRun},
	"overflows its stack": {func() strange {
		debug.SetMaxStack(1 << 20)
		return strange{Number: overflow(1)}
	}, reexec.ErrNoResult, reexec.StageRun},
	"throws": {func() strange { new(sync.Mutex).Unlock(); return strange{} }, reexec.ErrNoResult, reexec.StageRun},
	"is killed": {func() strange {
		unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	}, reexec.ErrNoResult, reexec.StageRun},
	"closes all descriptors": {func() strange { unix.CloseRange(0, 1000, 0); return strange{} }, reexec.ErrNoResult, reexec.StageRun},
	"closes the socket":      {func() strange { unix.Close(callSocket); return strange{} }, reexec.ErrNoResult, reexec.StageRun},
	"has another at its number": {func() strange {
		null, _ := os.OpenFile("/dev/null", os.O_RDWR, 0)
		unix.Dup3(int(null.Fd()), callSocket, 0)
		return strange{}
	}, reexec.ErrNoResult, reexec.StageRun},
	"writes garbage, and returns": {func() strange { scribble(garbage); return strange{} }, reexec.ErrProtocol, reexec.StageRun},
	"writes garbage, and stays":   {func() strange { scribble(garbage); select {} }, reexec.ErrProtocol, reexec.StageRun},
	"has a child that writes garbage": {func() strange {
		childThatWrites("echo a line that is longer than a header >&3")()
		return strange{}
	}, reexec.ErrProtocol, reexec.StageRun},
	"has a child that writes half a header, and ends": {func() strange {
		childThatWrites("printf alk1 >&3")()
		os.Exit(0)
		return strange{}
	}, nil, reexec.StageRun}, // it may have come between two frames of a stream
	"writes a request":         {func() strange { scribble(frame(1, make([]byte, 24))); select {} }, reexec.ErrProtocol, reexec.StageRun},
	"writes an unknown frame":  {func() strange { scribble(frame(99, nil)); select {} }, reexec.ErrProtocol, reexec.StageRun},
	"fails with no reason":     {func() strange { scribble(frame(failFrame, []byte("{"))); select {} }, reexec.ErrProtocol, reexec.StageRun},
	"logs what is no record":   {func() strange { scribble(frame(logFrame, []byte("{"))); select {} }, reexec.ErrProtocol, reexec.StageRun},
	"returns NaN":              {func() strange { return strange{Number: math.NaN()} }, nil, reexec.StageResult},
	"returns a function":       {func() strange { return strange{Func: func() {}} }, nil, reexec.StageResult},
	"returns what has no back": {func() strange { return strange{Way: &oneWay{}} }, nil, reexec.StageResult},
}

var garbage = []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

// overflow never returns.
//
//lint:ignore SA5007 a function whose stack overflows is what the test wants
func overflow(n float64) float64 { return n + overflow(n+1) }

// childThatWrites starts a shell that has the socket, too, and gives what waits for its end.
func childThatWrites(script string) (wait func()) {
	fd, err := unix.FcntlInt(callSocket, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		panic(err)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), strconv.Itoa(fd))}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return func() { cmd.Wait() }
}

var (
	goWrong = reexec.Register("go wrong", func(_ context.Context, how string) (strange, error) {
		return wrongs[how].do(), nil
	})
	goWrongLater = reexec.RegisterStream("go wrong later", func(_ context.Context, how string) iter.Seq2[strange, error] {
		return func(yield func(strange, error) bool) {
			for i := range 3 {
				if !yield(strange{Number: float64(i)}, nil) {
					return
				}
			}
			yield(wrongs[how].do(), nil)
		}
	})
)

// Whatever a function does, its caller has an error that says at which stage, and nothing beside it; the next call is as ever.
func TestPromise29NothingAbnormalLooksLikeSuccess(t *testing.T) {
	everywhere(t, func(t *testing.T, at place) {
		on := at.mustOn(t, reexec.Process{Stderr: io.Discard})
		for how, w := range wrongs {
			t.Run(how, func(t *testing.T) {
				out, err := goWrong.Call(t.Context(), on, how)
				require.Equal(t, strange{}, out)
				w.require(t, err, goWrong.Name())
				items := 0
				err = nil
				for item, itemErr := range goWrongLater.Call(t.Context(), on, how) {
					require.NoError(t, err, "an error is the last thing")
					if err = itemErr; err != nil {
						require.Equal(t, strange{}, item)
						continue
					}
					require.Equal(t, strange{Number: float64(items)}, item)
					items++
				}
				require.LessOrEqual(t, items, 3)
				w.require(t, err, goWrongLater.Name())
				_, err = whoami.Call(t.Context(), on, struct{}{})
				require.NoError(t, err)
			})
		}
	})
}

func (w wrong) require(t *testing.T, err error, name string) {
	t.Helper()
	var e *reexec.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, name, e.Func)
	require.Equal(t, w.stage, e.Stage, err)
	if w.want != nil {
		require.ErrorIs(t, err, w.want)
	}
	if w.want == reexec.ErrNoResult {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "it says how the process ended")
	}
}

// childLater leaves a child behind that has the socket, and writes a result to it when go ends.
var childLater = reexec.Register("a child that writes later", func(_ context.Context, p laterSpec) (int, error) {
	fd, err := unix.FcntlInt(callSocket, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return 0, err
	}
	socket := os.NewFile(uintptr(fd), "socket")
	defer socket.Close()
	cmd := exec.Command("sh", "-c", "read x <&4; cat >&3")
	cmd.ExtraFiles = []*os.File{socket, p.Go.File}
	cmd.Stdin, cmd.Stdout = p.Forged.File, p.Alive.File
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go cmd.Wait()
	return os.Getpid(), nil
})

// laterSpec has a pipe to read from, the frame to write, and what the child keeps open for as long as it lives.
type laterSpec struct{ Go, Forged, Alive reexec.File }

// What comes from a worker between two calls is no answer to the next one.
func TestPromise29AnAnswerAheadOfTheCallIsNone(t *testing.T) {
	forged, err := os.Create(t.TempDir() + "/forged")
	require.NoError(t, err)
	defer forged.Close()
	_, err = forged.WriteAt(frame(resultFrame, []byte("7")), 0)
	require.NoError(t, err)
	var pipes [4]*os.File
	for i := 0; i < len(pipes); i += 2 {
		pipes[i], pipes[i+1], err = os.Pipe()
		require.NoError(t, err)
		defer pipes[i].Close()
	}
	pool := &reexec.Pool{KeepChanged: true}
	defer pool.Close()
	on := pool.On("", nil)
	first, err := childLater.Call(t.Context(), on, laterSpec{
		Go: reexec.File{File: pipes[0]}, Forged: reexec.File{File: forged}, Alive: reexec.File{File: pipes[3]},
	})
	require.NoError(t, err)
	require.Equal(t, 1, pool.Stats().Idle)
	require.NoError(t, pipes[3].Close())
	require.NoError(t, pipes[1].Close())
	_, err = io.Copy(io.Discard, pipes[2]) // until it has written
	require.NoError(t, err)
	second, err := whoami.Call(t.Context(), on, struct{}{})
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	require.NotEqual(t, 7, second)
}
