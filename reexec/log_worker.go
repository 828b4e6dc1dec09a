// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
)

// diversion is where the records of a worker go while a call runs: to the caller. Between calls, and after the answer, they
// go nowhere.
type diversion struct {
	mu    sync.Mutex
	to    *conn // nil: no call runs
	level slog.Level
}

var diverted diversion

// workerLog is the worker's slog.Default.
var workerLog = slog.New(&sender{&diverted, nil})

// divertLog makes slog.Default send to the caller, until the returned function is called, if the caller wants that.
func divertLog(to *conn, level slog.Level) (stop func()) {
	if level == ownLog {
		return func() {}
	}
	diverted.mu.Lock()
	diverted.to, diverted.level = to, level
	diverted.mu.Unlock()
	if slog.Default() != workerLog {
		slog.SetDefault(workerLog)
	}
	return func() {
		diverted.mu.Lock()
		diverted.to = nil
		diverted.mu.Unlock()
	}
}

func (d *diversion) wants(level slog.Level) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.to != nil && level >= d.level
}

func (d *diversion) send(r record) error {
	p, err := json.Marshal(r)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.to == nil {
		return nil
	}
	return d.to.sendAll((&message{json: p}).parts(nil, header{kind: kindLog}))
}

// sender is the handler of a worker's slog.Default. Within holds what WithAttrs and WithGroup added, outermost first: an
// attr with a group's kind opens a group around all that follows.
type sender struct {
	d      *diversion
	within []scope
}

// scope is a group that was opened, "" for none, and the attributes that were added in it.
type scope struct {
	group string
	attrs []slog.Attr
}

func (s *sender) Enabled(_ context.Context, level slog.Level) bool { return s.d.wants(level) }

func (s *sender) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return s
	}
	return &sender{s.d, append(s.within[:len(s.within):len(s.within)], scope{"", attrs})}
}

func (s *sender) WithGroup(name string) slog.Handler {
	if name == "" {
		return s
	}
	return &sender{s.d, append(s.within[:len(s.within):len(s.within)], scope{name, nil})}
}

func (s *sender) Handle(_ context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for i := len(s.within) - 1; i >= 0; i-- {
		if w := s.within[i]; w.group != "" {
			attrs = []slog.Attr{{Key: w.group, Value: slog.GroupValue(attrs...)}}
		} else {
			attrs = append(w.attrs[:len(w.attrs):len(w.attrs)], attrs...)
		}
	}
	return s.d.send(record{Time: r.Time, Level: r.Level, Message: r.Message, Attrs: encodeAttrs(attrs)})
}
