// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"unsafe"
)

// message is a value as it crosses: JSON, and the descriptors that it mentions. The message owns them until it is closed, or
// decoded.
type message struct {
	json  []byte
	raw   bool // json is no JSON, but the bytes of a string or of a []byte as they are, or none for a struct{}
	files []descriptor
}

// descriptor is one that crosses, with the number that it has where it comes from.
type descriptor struct{ key, fd int }

// encode gives v as it crosses, with copies of its descriptors: they stay what they are however long the sending takes.
func encode(v any) (*message, error) {
	switch v := v.(type) {
	case string:
		return &message{json: unsafe.Slice(unsafe.StringData(v), len(v)), raw: true}, nil
	case []byte:
		if v != nil { // nil is null in JSON
			return &message{json: v, raw: true}, nil
		}
	case struct{}:
		return &message{raw: true}, nil
	}
	m := &message{}
	var err error
	if m.json, err = json.Marshal(v); err != nil {
		return nil, err
	}
	if replaced(m.json) {
		return nil, ErrNotUTF8
	}
	err = eachFile(reflect.ValueOf(v), false, func(at reflect.Value) error {
		f := at.Interface().(File)
		if f.File == nil {
			return nil
		}
		return control(f.File, func(fd int) error {
			dup, err := duplicate(fd)
			if err == nil {
				m.files = append(m.files, descriptor{fd, dup})
			}
			return err
		})
	})
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// decode puts the message into what v points to, which then owns the descriptors, and the bytes. On an error the descriptors
// are closed.
func (m *message) decode(v any) error {
	defer m.close()
	if m.raw {
		switch v := v.(type) {
		case *string:
			*v = unsafe.String(unsafe.SliceData(m.json), len(m.json))
		case *[]byte:
			*v = m.json
		case *struct{}:
		default:
			return fmt.Errorf("%w: bytes for a %T", ErrProtocol, v)
		}
		return nil
	}
	if err := json.Unmarshal(m.json, v); err != nil {
		return err
	}
	err := eachFile(reflect.ValueOf(v), true, func(at reflect.Value) error {
		sent := at.Interface().(File).sent
		if sent == nil {
			return nil
		}
		for i, d := range m.files {
			if d.fd >= 0 && d.key == sent.FD {
				at.Set(reflect.ValueOf(File{File: os.NewFile(uintptr(d.fd), sent.Name)}))
				m.files[i].fd = -1
				return nil
			}
		}
		return fmt.Errorf("%w: descriptor %d did not come", ErrProtocol, sent.FD)
	})
	if err != nil {
		closeFiles(v)
	}
	return err
}

// close closes the descriptors that nobody has taken.
func (m *message) close() {
	if m == nil {
		return
	}
	for _, d := range m.files {
		if d.fd >= 0 {
			closeDescriptor(d.fd)
		}
	}
	m.files = nil
}

// part is bytes to send, and the descriptors that go with the first of them.
type part struct {
	b   []byte
	fds []int
}

// maxFDs is how many descriptors go with one frame; the kernel takes 253 at a time (SCM_MAX_FD, unix(7)).
const maxFDs = 250

// joinBelow is the size below which a payload is copied behind its header, to go out in one system call.
const joinBelow = 64 << 10

// parts gives the message as frames, the last of which is h. The bytes in ahead go out before.
func (m *message) parts(ahead []byte, h header) (parts []part) {
	for files := m.files; len(files) > 0; {
		some := files[:min(len(files), maxFDs)]
		files = files[len(some):]
		if len(ahead) > 0 {
			parts = append(parts, part{b: ahead})
			ahead = nil
		}
		p := part{b: header{kind: kindFiles, fds: uint16(len(some)), length: uint64(4 * len(some))}.append(nil)}
		for _, d := range some {
			p.b = binary.LittleEndian.AppendUint32(p.b, uint32(d.key))
			p.fds = append(p.fds, d.fd)
		}
		parts = append(parts, p)
	}
	h.length = uint64(len(m.json))
	if m.raw {
		h.flags |= flagRaw
	}
	b := h.append(ahead)
	if len(m.json) < joinBelow {
		return append(parts, part{b: append(b, m.json...)})
	}
	return append(parts, part{b: b}, part{b: m.json})
}
