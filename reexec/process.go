// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"io"
	"log/slog"
	"os/exec"
	"time"
)

// Starter starts a prepared command, instead of cmd.Start, somewhere else than here: in other namespaces, say. It may set
// fields of cmd and add to Env and ExtraFiles, but must leave what is there. It returns nil only when the process is where
// it should be. That process is the worker, or one that ends when the worker does: a call does not outlast it. On an error nothing
// runs any more: the process has been waited for, by cmd.Wait where cmd was started. When cmd is killed while Start runs, Start
// must return.
type Starter interface {
	Start(cmd *exec.Cmd) error
}

// Process is a Runner that starts a fresh process for every call. The zero value, and a nil *Process, start a plain copy of
// this program. Set the fields before the first call; after that a Process may serve any number of calls at once.
type Process struct {
	// Starter starts the worker. Nil: exec.Cmd's own Start.
	Starter Starter

	// Stdin is the worker's standard input. Nil: the null device. If it is no *os.File, a goroutine copies it.
	Stdin io.Reader

	// Stdout and Stderr are the worker's. Nil: the caller's own os.Stdout and os.Stderr, handed on as they are. If one is
	// no *os.File, a goroutine copies to it, and the call ends only when everything that the worker wrote has been
	// copied; a child of the worker that keeps the pipe open, or a writer that is slow, delays this by Grace at most. What has
	// not been copied by then is lost: give a slow writer a longer Grace, or an *os.File.
	Stdout, Stderr io.Writer

	// Env is the worker's environment. Nil: the caller's at the time of the call.
	Env []string

	// Dir is the directory that the worker is started in. Empty: the caller's.
	Dir string

	// Log gets the records of the worker's slog.Default, and so of package log, in the goroutine of the call. Levels that it
	// does not want are not sent. Nil: the handler that the caller has set by slog.SetDefault; where it has not, the worker
	// prints its records on standard error, like any program.
	Log slog.Handler

	// MaxParam and MaxResult are the largest parameter, and the largest result or item of a stream, in bytes of JSON. A larger
	// one is refused with ErrTooLarge before it is sent. 0: 1 GiB. Memory grows with what arrives, not with the limit.
	MaxParam, MaxResult int64

	// MaxStderr is how many bytes the worker may write to a Stderr that is no *os.File, before it is killed and the call ends
	// with ErrTooLarge. 0: 64 MiB. Negative: no limit.
	MaxStderr int64

	// Grace is how long a killed worker may take to die before the call returns with ErrStuck and the worker is left to be
	// reaped in the background. 0: 500 ms.
	Grace time.Duration
}

// defaultGrace keeps every failing call below a second.
const defaultGrace = 500 * time.Millisecond

// In returns a Runner whose calls each run in a fresh process that s starts. A nil s is a plain copy of this program.
func In(s Starter) *Process { return &Process{Starter: s} }

const (
	defaultMax       = 1 << 30
	defaultMaxStderr = 64 << 20
)

func (p *Process) maxParam() int64  { return or(p.MaxParam, defaultMax) }
func (p *Process) maxResult() int64 { return or(p.MaxResult, defaultMax) }

// or is n, or otherwise where n is no limit that was set.
func or(n, otherwise int64) int64 {
	if n > 0 {
		return n
	}
	return otherwise
}

func (p *Process) grace() time.Duration {
	if p.Grace > 0 {
		return p.Grace
	}
	return defaultGrace
}

// ordinaryLog is the slog.Default of a program that has set none.
var ordinaryLog = slog.Default()

// log gives the handler for the worker's records, nil where they are left to the worker.
func (p *Process) log() slog.Handler {
	if p.Log != nil {
		return p.Log
	}
	if set := slog.Default(); set != ordinaryLog {
		return set.Handler()
	}
	return nil
}
