// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// status is the descriptor of --json-status. It gets an object a line: one when the program runs, one when it has ended, or one that
// says why it was not started. The methods do nothing for a nil status.
type status struct {
	file       *os.File
	pid        int
	namespaces map[ns.Type]uint64
	expected   map[ns.Type]uint64 // for a program that cannot be looked at
}

// event is a line.
type event struct {
	Event      string             `json:"event"`
	PID        int                `json:"pid,omitempty"`        // as airlock counts
	Namespaces map[ns.Type]uint64 `json:"namespaces,omitempty"` // inodes
	Exit       *int               `json:"exit,omitempty"`
	Signal     string             `json:"signal,omitempty"`
	Error      string             `json:"error,omitempty"`
}

// openStatus takes the descriptor that the caller has opened. No program inherits it.
func openStatus(number string) (*status, error) {
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%q is no descriptor: a number from 3 on", number)
	}
	// What this process opens itself, and the Go runtime, is close-on-exec from the start.
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err == nil && flags&unix.FD_CLOEXEC != 0 {
		err = unix.EBADF
	}
	if err != nil {
		return nil, fmt.Errorf("descriptor %d is not open: %w", fd, err)
	}
	unix.CloseOnExec(fd)
	return &status{file: os.NewFile(uintptr(fd), "status"), namespaces: map[ns.Type]uint64{}}, nil
}

func (s *status) write(e event) {
	line, err := json.Marshal(e)
	if err == nil {
		_, _ = s.file.Write(append(line, '\n')) // who does not read it does not want to know
	}
}

// see looks at the program before it is executed. An ordinary user may not look at one that has entered a user namespace, ptrace(2),
// before it is, and after that it may have ended: see expect.
func (s *status) see(pid int) {
	if s != nil {
		s.pid = pid
		s.look()
	}
}

// look finds the namespaces that are not known yet.
func (s *status) look() {
	for t := range ns.All.Each() {
		if s.namespaces[t] != 0 {
			continue
		}
		if h, err := ns.OpenPID(s.pid, t); err == nil {
			s.namespaces[t] = h.ID().Ino
			h.Close()
		}
	}
}

// expect notes in which namespaces the program will be: in those of the goal, of the types entered, and in ours of the types kept.
func (s *status) expect(goal *launcher.Target, entered, kept ns.Type) error {
	if s == nil {
		return nil
	}
	s.expected = map[ns.Type]uint64{}
	handles, err := goal.Open()
	if err != nil {
		return err
	}
	for _, h := range handles {
		if entered.Has(h.Type()) {
			s.expected[h.Type()] = h.ID().Ino
		}
		h.Close()
	}
	for t := range kept.Each() {
		if h, err := ns.Current(t); err == nil {
			s.expected[t] = h.ID().Ino
			h.Close()
		}
	}
	return nil
}

func (s *status) running() {
	if s != nil {
		s.look()
		for t, inode := range s.expected {
			if s.namespaces[t] == 0 {
				s.namespaces[t] = inode
			}
		}
		s.write(event{Event: "running", PID: s.pid, Namespaces: s.namespaces})
	}
}

func (s *status) ended(state unix.WaitStatus) {
	switch {
	case s == nil:
	case state.Signaled():
		s.write(event{Event: "ended", Signal: unix.SignalName(state.Signal())})
	default:
		code := state.ExitStatus()
		s.write(event{Event: "ended", Exit: &code})
	}
}

func (s *status) failed(err error) {
	if s != nil && err != nil {
		s.write(event{Event: "failed", Error: err.Error()})
	}
}
