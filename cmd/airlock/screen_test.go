// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// screen is the terminal of a program in the background, as its user has it.
type screen struct {
	*os.File
	mu    sync.Mutex
	shown strings.Builder // and not looked at yet
	ended chan struct{}
}

// open starts a program as the leader of a session on a terminal of its own, as a terminal window would, and names it as start does.
func (s *stage) open(ts *testscript.TestScript, args []string) {
	j := s.job(ts, args)
	master, side, err := openPair()
	ts.Check(err)
	defer side.Close()
	j.cmd.Stdin, j.cmd.Stdout, j.cmd.Stderr = side, side, side
	j.cmd.Env = append(j.cmd.Env, "TERM=dumb", "PS1=$ ")
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	s.begin(ts, args[0], j)
	j.screen = &screen{File: master, ended: make(chan struct{})}
	go j.screen.watch()
	ts.Defer(func() {
		master.Close()
		<-j.screen.ended
	})
}

func (s *screen) watch() {
	defer close(s.ended)
	text := make([]byte, 4096)
	for {
		n, err := s.Read(text)
		s.mu.Lock()
		s.shown.Write(text[:n])
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// take removes what is shown up to the end of what matches, and reports whether there was any.
func (s *screen) take(pattern *regexp.Regexp) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.shown.String()
	at := pattern.FindStringIndex(text)
	if at == nil {
		return false
	}
	s.shown.Reset()
	s.shown.WriteString(text[at[1]:])
	return true
}

func (s *stage) screen(ts *testscript.TestScript, name string) *screen {
	j := s.jobs[name]
	if j == nil || j.screen == nil {
		ts.Fatalf("%s has no screen", name)
	}
	return j.screen
}

// shows waits until the screen shows it, and forgets all up to there. What a match skips is logged.
func (s *stage) shows(ts *testscript.TestScript, args []string) {
	screen, pattern := s.screen(ts, args[0]), regexp.MustCompile("(?m)"+args[1])
	for end := time.Now().Add(patience); !screen.take(pattern); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("the screen shows %q, and not %s", screen.shown.String(), args[1])
		}
	}
}

// keys types lines; ^C stands for the key, and ^I at the end of a line for the key in place of the end.
func (s *stage) keys(ts *testscript.TestScript, args []string) {
	for _, text := range args[1:] {
		if len(text) == 2 && text[0] == '^' {
			text = string(text[1] & 0x1f)
		} else if completed, ok := strings.CutSuffix(text, "^I"); ok {
			text = completed + "\t"
		} else {
			text += "\n"
		}
		_, err := s.screen(ts, args[0]).WriteString(text)
		ts.Check(err)
	}
}

// closeWindow takes the terminal away.
func (s *stage) closeWindow(ts *testscript.TestScript, args []string) {
	ts.Check(s.screen(ts, args[0]).Close())
}

func (s *stage) resize(ts *testscript.TestScript, args []string) {
	rows, err := strconv.Atoi(args[1])
	ts.Check(err)
	columns, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(withFD(s.screen(ts, args[0]).File, func(fd int) {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: uint16(rows), Col: uint16(columns)})
	}))
	ts.Check(err)
}

// mode waits until the terminal is raw, or cooked: that lines are edited, that keys are echoed and send signals, and output is processed.
func (s *stage) mode(ts *testscript.TestScript, args []string) {
	const flags = unix.ICANON | unix.ECHO | unix.ISIG
	want := map[string]uint32{"raw": 0, "cooked": flags | unix.OPOST}[args[1]]
	file := s.screen(ts, args[0]).File
	until(ts, patience, fmt.Sprintf("the terminal is %s", args[1]), func() bool {
		var settings *unix.Termios
		var err error
		ts.Check(withFD(file, func(fd int) { settings, err = unix.IoctlGetTermios(fd, unix.TCGETS) }))
		ts.Check(err)
		return settings.Lflag&flags|settings.Oflag&unix.OPOST == want
	})
}

// signals sends every signal that can be caught, one after the other, to a supervisor of "probe signals FILE", and waits until each has come.
// SIGURG and SIGPROF are the Go runtime's, SIGTTIN and SIGTTOU are about the supervisor's terminal, SIGCHLD about its child.
func (s *stage) signals(ts *testscript.TestScript, args []string) {
	for number := 1; number <= 64; number++ {
		switch syscall.Signal(number) {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGPROF, unix.SIGTTIN, unix.SIGTTOU, 32, 33, 34:
			continue
		}
		ts.Check(unix.Kill(s.pid(ts, args[0]), syscall.Signal(number)))
		until(ts, patience, fmt.Sprintf("signal %d arrives", number), func() bool {
			text, err := os.ReadFile(ts.MkAbs(args[1]))
			ts.Check(err)
			return strings.Contains(string(text), fmt.Sprintf("\n%d\n", number))
		})
	}
}

// job prepares a program that runs in the background.
func (s *stage) job(ts *testscript.TestScript, args []string) *job {
	j := &job{}
	path := args[1]
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), ":") {
		if _, err := os.Stat(dir + "/" + path); err == nil {
			path = dir + "/" + path
			break
		}
	}
	j.cmd = exec.Command(path, args[2:]...)
	j.cmd.Args[0] = args[1]
	j.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "AIRLOCK_FIXTURE_CENSUS", "LC_ALL"} {
		j.cmd.Env = append(j.cmd.Env, name+"="+ts.Getenv(name))
	}
	for _, name := range engineVariables {
		if value := ts.Getenv(name); value != "" {
			j.cmd.Env = append(j.cmd.Env, name+"="+value)
		}
	}
	return j
}

// begin starts it, and ends it with the script.
func (s *stage) begin(ts *testscript.TestScript, name string, j *job) {
	ts.Check(j.cmd.Start())
	s.jobs[name] = j
	ts.Setenv(name, strconv.Itoa(j.cmd.Process.Pid))
	ts.Defer(func() {
		if j.cmd.ProcessState == nil {
			j.cmd.Process.Kill()
			j.cmd.Wait()
		}
	})
}
