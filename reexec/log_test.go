// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/reexec"
)

type secret struct{}

func (secret) LogValue() slog.Value { return slog.StringValue("REDACTED") }

var when = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

func logAll(l *slog.Logger) {
	l.Debug("not wanted")
	l.Info("plain")
	l.With("a", 1).WithGroup("g").With("b", true).WithGroup("h").Warn("nested", "c", 1.5, slog.Group("k", "d", "e"))
	l.Error("kinds", "int", int64(math.MinInt64), "uint", uint64(math.MaxUint64), "inf", math.Inf(1), "dur", time.Second, "time", when,
		"err", errors.New("an error"), "secret", secret{}, "any", []int{1, 2}, "chan", struct{ F func() }{}, "", "empty key")
	l.WithGroup("").With().Info("nothing added")
}

var logs = reexec.Register("logs", func(context.Context, struct{}) (int, error) {
	logAll(slog.Default())
	log.Print("from package log")
	return 1, nil
})

// texts gives a handler that writes to b as slog's own text handler, without the time.
func texts(b *bytes.Buffer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

func TestRecordsArriveAsIfLoggedHere(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		var here, there bytes.Buffer
		logAll(slog.New(texts(&here, level)))
		if level == slog.LevelInfo {
			slog.New(texts(&here, level)).Info("from package log")
		}
		_, err := logs.Call(bg(), &reexec.Process{Log: texts(&there, level)}, struct{}{})
		require.NoError(t, err)
		// A function has no text that is the same in two processes.
		require.Equal(t, strings.ReplaceAll(here.String(), "{F:<nil>}", "F"), strings.ReplaceAll(there.String(), "{F:<nil>}", "F"))
	}
}

func TestRecordsArriveFromWarmWorkersInEveryCall(t *testing.T) {
	var b bytes.Buffer
	p := reexec.Pool{Process: reexec.Process{Log: texts(&b, slog.LevelError)}}
	defer p.Close()
	for range 3 {
		_, err := logs.Call(bg(), p.On(1, nil), struct{}{})
		require.NoError(t, err)
	}
	require.Equal(t, 3, strings.Count(b.String(), "msg=kinds"))
	require.Equal(t, uint64(1), p.Stats().Started)
}

type panicking struct{ slog.Handler }

func (panicking) Handle(context.Context, slog.Record) error { panic("in the handler") }

func TestHandlerThatPanicsLeavesNoWorker(t *testing.T) {
	h := panicking{slog.DiscardHandler}
	on := &reexec.Process{Log: panickingEnabled{h}}
	require.PanicsWithValue(t, "in the handler", func() { logs.Call(bg(), on, struct{}{}) })
	p := reexec.Pool{Process: *on}
	require.PanicsWithValue(t, "in the handler", func() { logs.Call(bg(), p.On(1, nil), struct{}{}) })
	require.NoError(t, p.Close())
}

type panickingEnabled struct{ panicking }

func (panickingEnabled) Enabled(context.Context, slog.Level) bool { return true }
