// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

type pair struct {
	Name string
	Data []byte
}

var (
	echo   = reexec.Register("echo", func(_ context.Context, p pair) (pair, error) { return p, nil })
	pid    = reexec.Register("pid", func(context.Context, struct{}) (int, error) { return os.Getpid(), nil })
	readIt = reexec.Register("read", func(_ context.Context, path string) ([]byte, error) { return os.ReadFile(path) })
	fail   = reexec.Register("fail", func(_ context.Context, how string) (string, error) { return "half", failures[how]() })
	die    = reexec.Register("die", func(context.Context, struct{}) (struct{}, error) { unix.Kill(os.Getpid(), unix.SIGKILL); select {} })
	sleep  = reexec.Register("sleep", func(ctx context.Context, until string) (string, error) {
		if until == "deadline" {
			<-ctx.Done()
			return "", ctx.Err()
		}
		fmt.Println("asleep")
		select {}
	})
	deadline = reexec.Register("deadline", func(ctx context.Context, _ struct{}) (time.Time, error) {
		t, _ := ctx.Deadline()
		return t, nil
	})
	unmarshalable = reexec.Register("unmarshalable", func(context.Context, struct{}) (any, error) { return func() {}, nil })
	badParam      = reexec.Register("bad param", func(context.Context, chan int) (any, error) { return nil, nil })
	latin1        = reexec.Register("latin1", func(context.Context, string) (pair, error) { return pair{Name: "caf\xe9"}, nil })
	same          = reexec.Register("same", func(_ context.Context, s string) (string, error) { return s, nil })
	sameBytes     = reexec.Register("same bytes", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	nested        = reexec.Register("nested", func(ctx context.Context, path string) ([]byte, error) { return readIt.Call(ctx, nil, path) })
	report        = reexec.Register("report", func(context.Context, struct{}) (inside, error) {
		in := inside{Args: os.Args, Call: os.Getenv("AIRLOCK_CALL")}
		out, err := exec.Command("sh", "-c", "env; ls -l /proc/$$/fd").Output()
		in.Child = string(out)
		return in, err
	})
	cwd  = reexec.Register("cwd", func(context.Context, struct{}) (string, error) { return os.Getwd() })
	only = registerInCallerOnly()
)

func registerInCallerOnly() reexec.Func[struct{}, struct{}] {
	if os.Getenv("REEXEC_TEST_WORKER") != "" {
		return reexec.Func[struct{}, struct{}]{}
	}
	return reexec.Register("only in the caller", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
}

type inside struct {
	Args        []string
	Call, Child string
}

var errCustom = errors.New("custom sentinel")

func init() { reexec.RegisterError("custom", errCustom) }

type pathless struct{}

func (pathless) Error() string        { return "says that it is not there" }
func (pathless) Is(target error) bool { return target == fs.ErrNotExist }

var failures = map[string]func() error{
	"errno":    func() error { return unix.EPERM },
	"path":     func() error { _, err := os.Open("/nonexistent"); return fmt.Errorf("wrapped: %w", err) },
	"sentinel": func() error { return io.EOF },
	"custom":   func() error { return fmt.Errorf("deep: %w", errCustom) },
	"is":       func() error { return pathless{} },
	"join":     func() error { return errors.Join(unix.EBUSY, exec.ErrNotFound) },
	"plain":    func() error { return errors.New("plain") },
	"panic":    func() error { panic("boom") },
	"panicErr": func() error { panic(fmt.Errorf("thrown: %w", unix.ENOTTY)) },
	"nilDeref": func() error { var p *pair; return errors.New(p.Name) },
	"goexit":   func() error { runtime.Goexit(); return nil },
	"badError": func() error { return (*badError)(nil) },
}

type badError struct{ msg string }

func (b *badError) Error() string { return b.msg }

func bg() context.Context { return context.Background() }

func TestCallRunsInAnotherProcess(t *testing.T) {
	p, err := pid.Call(bg(), nil, struct{}{})
	require.NoError(t, err)
	require.NotEqual(t, os.Getpid(), p)
	require.ErrorIs(t, unix.Kill(p, 0), unix.ESRCH, "the worker has ended and has been reaped")
	require.Equal(t, "pid", pid.Name())
}

func TestStringsAndBytesTravelAsTheyAre(t *testing.T) {
	var p reexec.Pool
	defer p.Close()
	for _, on := range []reexec.Runner{nil, p.On(1, nil), reexec.InProcess()} {
		for _, s := range []string{"", "null", "caf\xe9\x00", strings.Repeat("x", 100_000)} {
			out, err := same.Call(bg(), on, s)
			require.NoError(t, err)
			require.Equal(t, s, out)
			b, err := sameBytes.Call(bg(), on, []byte(s))
			require.NoError(t, err)
			require.Equal(t, []byte(s), b)
		}
		b, err := sameBytes.Call(bg(), on, nil)
		require.NoError(t, err)
		require.Nil(t, b)
	}
}

func TestErrorKeepsItsIdentity(t *testing.T) {
	for how, is := range map[string]error{
		"errno": unix.EPERM, "path": fs.ErrNotExist, "sentinel": io.EOF, "custom": errCustom, "is": fs.ErrNotExist, "join": exec.ErrNotFound,
		"panic": reexec.ErrPanic, "panicErr": unix.ENOTTY, "nilDeref": reexec.ErrPanic, "goexit": reexec.ErrGoexit, "badError": reexec.ErrPanic,
	} {
		t.Run(how, func(t *testing.T) {
			out, err := fail.Call(bg(), nil, how)
			require.Empty(t, out)
			require.ErrorIs(t, err, is)
			require.NotErrorIs(t, err, fs.ErrClosed)
			var e *reexec.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "fail", e.Func)
			require.Equal(t, reexec.StageRun, e.Stage)
			if errors.Is(err, reexec.ErrPanic) {
				require.Contains(t, e.Stack, "call_test.go")
			}
		})
	}
	_, err := fail.Call(bg(), nil, "path")
	var p *fs.PathError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "/nonexistent", p.Path)
	require.EqualError(t, err, "reexec: fail: run: wrapped: open /nonexistent: no such file or directory")
	_, err = fail.Call(bg(), nil, "plain")
	require.EqualError(t, err, "reexec: fail: run: plain")
}

func TestNestedErrorIsTheInnerCall(t *testing.T) {
	_, err := nested.Call(bg(), nil, "/nonexistent")
	require.ErrorIs(t, err, unix.ENOENT)
	require.EqualError(t, err, "reexec: nested: run: reexec: read: run: open /nonexistent: no such file or directory")
}

func TestMarshalFailures(t *testing.T) {
	var e *reexec.Error
	_, err := badParam.Call(bg(), reexec.In(noStart{t}), make(chan int))
	require.ErrorAs(t, err, &e)
	require.Equal(t, reexec.StageParam, e.Stage)
	_, err = unmarshalable.Call(bg(), nil, struct{}{})
	require.ErrorAs(t, err, &e)
	require.Equal(t, reexec.StageResult, e.Stage)
	_, err = latin1.Call(bg(), nil, "caf\xe9")
	require.ErrorIs(t, err, reexec.ErrNotUTF8)
	_, err = echo.Call(bg(), reexec.In(noStart{t}), pair{Name: "\xff"})
	require.ErrorIs(t, err, reexec.ErrNotUTF8)
}

type noStart struct{ t *testing.T }

func (s noStart) Start(*exec.Cmd) error { s.t.Error("started"); return errors.New("started") }

func TestUnknownFunction(t *testing.T) {
	on := &reexec.Process{Env: append(os.Environ(), "REEXEC_TEST_WORKER=1")}
	_, err := only.Call(bg(), on, struct{}{})
	require.ErrorIs(t, err, reexec.ErrNotRegistered)
	require.Contains(t, err.Error(), "only in the caller")
	_, err = reexec.Func[int, int]{}.Call(bg(), nil, 1)
	require.ErrorIs(t, err, reexec.ErrNotRegistered)
}

func TestRegistrationRefused(t *testing.T) {
	require.PanicsWithError(t, "reexec: late: register: registered after Init", func() {
		reexec.Register("late", func(context.Context, int) (int, error) { return 0, nil })
	})
}

type startError struct{ error }

func (s startError) Start(*exec.Cmd) error { return s.error }

func TestStarterErrorArrives(t *testing.T) {
	cause := &fs.PathError{Op: "setns", Path: "net", Err: unix.EPERM}
	_, err := pid.Call(bg(), reexec.In(startError{cause}), struct{}{})
	var p *fs.PathError
	require.ErrorAs(t, err, &p)
	require.Same(t, cause, p)
	var e *reexec.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, reexec.StageStart, e.Stage)
}

func TestCancelledBeforeTheStart(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(bg())
	cancel(why)
	_, err := pid.Call(ctx, reexec.In(noStart{t}), struct{}{})
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.Canceled)
}

// announce cancels when something is written to it.
type announce func()

func (a announce) Write(p []byte) (int, error) { a(); return len(p), nil }

func TestCancelKillsTheWorker(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(bg())
	began := time.Now()
	_, err := sleep.Call(ctx, &reexec.Process{Stdout: announce(func() { cancel(why) })}, "for ever")
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, reexec.ErrStuck)
	require.Less(t, time.Since(began), 10*time.Second)
}

// frozen starts a worker that stops before it runs Go, and lets Start hang like a constructor that does not report.
type frozen struct{ pid chan int }

func (f frozen) Start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	f.pid <- cmd.Process.Pid
	return cmd.Wait()
}

func TestCancelWhileTheStarterRuns(t *testing.T) {
	f := frozen{make(chan int, 1)}
	ctx, cancel := context.WithCancel(bg())
	_, err := sleep.Call(ctx, &reexec.Process{Starter: f, Stdout: announce(cancel)}, "for ever")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, unix.Kill(<-f.pid, 0), unix.ESRCH)
}

// hung never comes back from Start until it is released.
type hung struct{ began, released chan struct{} }

func (h hung) Start(*exec.Cmd) error {
	close(h.began)
	<-h.released
	return errors.New("released")
}

func TestWorkerThatCannotDie(t *testing.T) {
	h := hung{make(chan struct{}), make(chan struct{})}
	defer close(h.released)
	ctx, cancel := context.WithCancel(bg())
	go func() { <-h.began; cancel() }()
	_, err := pid.Call(ctx, &reexec.Process{Starter: h, Grace: time.Millisecond}, struct{}{})
	require.ErrorIs(t, err, reexec.ErrStuck)
	require.ErrorIs(t, err, context.Canceled)
}

func TestDeadlineCrosses(t *testing.T) {
	want := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(bg(), want)
	defer cancel()
	got, err := deadline.Call(ctx, nil, struct{}{})
	require.NoError(t, err)
	require.WithinDuration(t, want, got, time.Microsecond)
	ctx, cancel = context.WithTimeout(bg(), 50*time.Millisecond)
	defer cancel()
	_, err = sleep.Call(ctx, nil, "deadline")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestStrayVariableIsRefused(t *testing.T) {
	for value, says := range map[string]string{
		"7": "bad file descriptor", "x": "invalid syntax", "-1": "invalid syntax", "0": "socket", "4294967299": "out of range", "": "invalid syntax",
	} {
		cmd := exec.Command("/proc/self/exe", "-test.run=^$")
		cmd.Env = append(os.Environ(), "AIRLOCK_CALL="+value)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "AIRLOCK_CALL=%s", value)
		require.Equal(t, 125, exit.ExitCode())
		require.Contains(t, string(out), says)
	}
}

func TestParallelCalls(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			in := pair{Name: strings.Repeat("x", i)}
			out, err := echo.Call(bg(), nil, in)
			if err != nil || out.Name != in.Name {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func TestOrphanDies(t *testing.T) {
	// A caller that is killed leaves a worker that is in a function that never ends.
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestSleepForEver$")
	cmd.Env = append(os.Environ(), "REEXEC_TEST_SLEEP=1")
	cmd.Stdout = w
	require.NoError(t, cmd.Start())
	w.Close()
	buf := make([]byte, 6)
	_, err = io.ReadFull(r, buf)
	require.NoError(t, err)
	require.Equal(t, "asleep", string(buf))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	// The pipe is at its end when nobody has it open any more: the worker is gone.
	require.NoError(t, r.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = io.Copy(io.Discard, r)
	require.NoError(t, err)
}

func TestSleepForEver(t *testing.T) {
	if os.Getenv("REEXEC_TEST_SLEEP") == "" {
		return // only a helper of TestOrphanDies
	}
	_, _ = sleep.Call(bg(), nil, "for ever")
}

// A caller whose thread is elsewhere gets a worker of the process all the same, whether or not its context can end.
func TestWorkerIsNotOfTheCallersThread(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	deadline, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for name, ctx := range map[string]context.Context{"Background": context.Background(), "WithTimeout": deadline} {
		var seen string
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // for good: the thread ends with this goroutine
			done <- func() (err error) {
				if err := unix.Unshare(unix.CLONE_FS); err != nil {
					return err
				}
				if err := unix.Chdir("/"); err != nil {
					return err
				}
				seen, err = cwd.Call(ctx, nil, struct{}{})
				return err
			}()
		}()
		require.NoError(t, <-done)
		require.Equal(t, here, seen, name)
	}
}
