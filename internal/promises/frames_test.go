// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// What a worker that has gone wrong writes to its end of the socket, as reexec/frame.go has it.
const (
	callSocket  = 3
	logFrame    = 4
	itemsFrame  = 5
	resultFrame = 6
	failFrame   = 7
)

// frame gives a whole frame.
func frame(kind byte, payload []byte) []byte {
	return append(header(kind, uint64(len(payload))), payload...)
}

func header(kind byte, length uint64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{'a', 'l', 'k', '1', kind, 0, 0, 0}, length)
}

// scribble writes to the socket; it returns when somebody has read it, or nobody will.
func scribble(b []byte) error {
	for len(b) > 0 {
		n, err := unix.SendmsgN(callSocket, b, nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return err
		}
		b = b[max(n, 0):]
	}
	return nil
}
