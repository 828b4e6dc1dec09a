// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"encoding/json"
	"os"
	"reflect"
	"sync"
)

// File is an open file in a parameter or a result: the descriptor itself crosses (SCM_RIGHTS, unix(7)), whatever it is of: a
// file, a socket, a namespace, a pidfd. The other side gets a descriptor of its own, close-on-exec, with the same open file
// description, so offset and status flags are shared. There may be any number in a value, in exported fields, pointers,
// slices, arrays and maps, but not behind an interface or in a type with a MarshalJSON of its own. The zero File stays one.
//
// Files in a parameter stay the caller's to close. The function's copies of them, and the files in its result, are closed
// in the worker when the call ends. Files in a result are the caller's to close; where the call fails there are none.
type File struct {
	*os.File
	sent *fileJSON // while a value is decoded: what the other side calls it
}

// fileJSON is a File in JSON: the number that the descriptor has in the process that sends it, and its name.
type fileJSON struct {
	FD   int    `json:"fd"`
	Name string `json:"name"`
}

// MarshalJSON gives the number and the name of the descriptor, null for the zero File.
func (f File) MarshalJSON() ([]byte, error) {
	if f.File == nil {
		return []byte("null"), nil
	}
	n := -1
	err := control(f.File, func(fd int) error { n = fd; return nil })
	if err != nil {
		return nil, err
	}
	return json.Marshal(fileJSON{n, f.File.Name()})
}

// UnmarshalJSON notes which descriptor this File is to have. It opens nothing.
func (f *File) UnmarshalJSON(b []byte) error {
	*f = File{}
	return json.Unmarshal(b, &f.sent)
}

// control calls do with the descriptor of f, which stays open meanwhile.
func control(f *os.File, do func(fd int) error) error {
	rc, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if rc.Control(func(fd uintptr) { inner = do(int(fd)) }) != nil {
		return &os.PathError{Op: "send", Path: f.Name(), Err: os.ErrClosed}
	}
	return inner
}

var fileType = reflect.TypeFor[File]()

// withFiles remembers which types can hold a File.
var withFiles sync.Map // of reflect.Type to bool

// holdsFiles reports whether values of t can hold a File that eachFile finds.
func holdsFiles(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		if t.Elem().Kind() <= reflect.Complex128 || t.Elem().Kind() == reflect.String {
			return false // the usual case, without making the map
		}
	case reflect.Struct:
		if t.NumField() == 0 {
			return false
		}
	default:
		return false
	}
	known, ok := withFiles.Load(t)
	if !ok {
		known = searchFile(t, map[reflect.Type]bool{})
		withFiles.Store(t, known)
	}
	return known.(bool)
}

// searchFile looks for File in t, except in the types that have been seen.
func searchFile(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == fileType {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return searchFile(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && searchFile(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// eachFile calls do with every File in v, which json.Marshal has found to be without cycles. Where v is a pointer, do can set
// the File; one in a map can be set if settable says so.
func eachFile(v reflect.Value, settable bool, do func(reflect.Value) error) error {
	if !v.IsValid() || !holdsFiles(v.Type()) {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return eachFile(v.Elem(), settable, do)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := eachFile(v.Index(i), settable, do); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			elem := reflect.New(v.Type().Elem()).Elem()
			elem.Set(v.MapIndex(key))
			if err := eachFile(elem, settable, do); err != nil {
				return err
			}
			if settable {
				v.SetMapIndex(key, elem)
			}
		}
	case reflect.Struct:
		if v.Type() == fileType {
			return do(v)
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				if err := eachFile(v.Field(i), settable, do); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// closeFiles closes every File in v.
func closeFiles(v any) {
	eachFile(reflect.ValueOf(v), false, func(f reflect.Value) error {
		if f := f.Interface().(File); f.File != nil {
			f.Close()
		}
		return nil
	})
}
