// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"io"
	"os"
	"sync"
)

// limited is a standard error that kills the worker when there is too much of it.
type limited struct {
	w     io.Writer
	limit int64
	kill  func()

	mu   sync.Mutex
	n    int64
	over bool
}

// limitStderr gives what to use as the worker's standard error; the limited is nil where there is nothing to count.
func (p *Process) limitStderr(kill func()) (io.Writer, *limited) {
	if p.Stderr == nil {
		return os.Stderr, nil
	}
	if _, file := p.Stderr.(*os.File); file || p.MaxStderr < 0 {
		return p.Stderr, nil
	}
	l := &limited{w: p.Stderr, limit: or(p.MaxStderr, defaultMaxStderr), kill: kill}
	return l, l
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.n += int64(len(p))
	over := l.n > l.limit
	l.over = over
	l.mu.Unlock()
	if over {
		l.kill()
		return 0, l.err()
	}
	return l.w.Write(p)
}

// err is the error of a call whose worker wrote too much, else nil.
func (l *limited) err() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		return nil
	}
	return tooLarge(uint64(l.n), l.limit)
}
