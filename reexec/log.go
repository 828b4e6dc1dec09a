// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"time"
)

const (
	ownLog = slog.Level(math.MinInt32) // the worker's records are its own affair
	noLog  = slog.Level(math.MaxInt32) // a level that no record reaches
)

// lowest gives the lowest of the usual levels that h wants.
func lowest(ctx context.Context, h slog.Handler) slog.Level {
	if h == nil {
		return ownLog
	}
	for level := slog.LevelDebug - 4; level <= slog.LevelError+4; level++ {
		if h.Enabled(ctx, level) {
			return level
		}
	}
	return noLog
}

// record is a slog record as it crosses the border.
type record struct {
	Time    time.Time  `json:"time,omitzero"`
	Level   slog.Level `json:"level"`
	Message string     `json:"msg"`
	Attrs   []attr     `json:"attrs,omitempty"`
}

// attr is a slog attribute; its kind is that of the value.
type attr struct {
	Key   string          `json:"k"`
	Kind  slog.Kind       `json:"t"`
	Value json.RawMessage `json:"v,omitempty"`
	Group []attr          `json:"g,omitempty"`
}

func encodeAttr(a slog.Attr) attr {
	v := a.Value.Resolve()
	out := attr{Key: a.Key, Kind: v.Kind()}
	switch v.Kind() {
	case slog.KindGroup:
		out.Group = encodeAttrs(v.Group())
		return out
	case slog.KindFloat64: // JSON has no infinity
		out.Value, _ = json.Marshal(math.Float64bits(v.Float64()))
		return out
	case slog.KindDuration:
		out.Value, _ = json.Marshal(int64(v.Duration()))
		return out
	}
	var err error
	value := v.Any()
	if e, isError := value.(error); isError {
		value = e.Error()
		out.Kind = slog.KindString
	}
	if out.Value, err = json.Marshal(value); err != nil {
		out.Kind = slog.KindString
		out.Value, _ = json.Marshal(fmt.Sprintf("%+v", value))
	}
	return out
}

func encodeAttrs(attrs []slog.Attr) (out []attr) {
	for _, a := range attrs {
		out = append(out, encodeAttr(a))
	}
	return out
}

// attr gives the attribute that was encoded; a value that is no JSON of its kind becomes its text.
func (a attr) attr() slog.Attr {
	switch a.Kind {
	case slog.KindGroup:
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(decodeAttrs(a.Group)...)}
	case slog.KindString:
		return decodeValue(a, slog.StringValue)
	case slog.KindInt64:
		return decodeValue(a, slog.Int64Value)
	case slog.KindUint64:
		return decodeValue(a, slog.Uint64Value)
	case slog.KindFloat64:
		return decodeValue(a, func(bits uint64) slog.Value { return slog.Float64Value(math.Float64frombits(bits)) })
	case slog.KindBool:
		return decodeValue(a, slog.BoolValue)
	case slog.KindDuration:
		return decodeValue(a, slog.DurationValue)
	case slog.KindTime:
		return decodeValue(a, slog.TimeValue)
	}
	return decodeValue(a, slog.AnyValue)
}

func decodeValue[T any](a attr, value func(T) slog.Value) slog.Attr {
	var v T
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return slog.String(a.Key, string(a.Value))
	}
	return slog.Attr{Key: a.Key, Value: value(v)}
}

func decodeAttrs(attrs []attr) (out []slog.Attr) {
	for _, a := range attrs {
		out = append(out, a.attr())
	}
	return out
}

// handle gives a record from the worker to the caller's handler. An error of the handler is not one of the call.
func handle(ctx context.Context, h slog.Handler, payload []byte) error {
	var r record
	if err := json.Unmarshal(payload, &r); err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	if h == nil || !h.Enabled(ctx, r.Level) {
		return nil
	}
	out := slog.NewRecord(r.Time, r.Level, r.Message, 0)
	out.AddAttrs(decodeAttrs(r.Attrs)...)
	_ = h.Handle(ctx, out)
	return nil
}
