// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal is a pseudo-terminal for the program, pty(7), and this process at its other end, which shows on the user's terminal what
// the program prints, and passes on what the user types. It is opened among our files: the target may have no /dev/pts, or one that is not
// to be trusted. The methods do nothing for a nil terminal.
type terminal struct {
	master, side *os.File
	real         bool     // the user has a terminal, standard input
	screen       *os.File // what the program prints goes here
	shown        chan struct{}

	mu    sync.Mutex
	saved *term.State // of the user's terminal while it is raw
}

func openTerminal() (*terminal, error) {
	master, side, err := openPair()
	if err != nil {
		return nil, fmt.Errorf("open a terminal for the program: %w (--no-tty does without)", err)
	}
	t := &terminal{master: master, side: side, real: term.IsTerminal(0), screen: os.Stdout, shown: make(chan struct{})}
	if t.real {
		if settings, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
			_ = withFD(side, func(fd int) { _ = unix.IoctlSetTermios(fd, unix.TCSETS, settings) })
		}
		t.screen = firstTerminal(os.Stdout, os.Stderr, os.Stdin)
		t.resize()
	}
	return t, nil
}

// openPair opens the two ends. Package pty leaves a master in blocking mode, whose reads neither a deadline nor Close would end.
func openPair() (master, side *os.File, err error) {
	blocking, side, err := pty.Open()
	if err != nil {
		return nil, nil, err
	}
	defer blocking.Close()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		side.Close()
		return nil, nil, err
	}
	return os.NewFile(uintptr(fd), blocking.Name()), side, nil
}

// firstTerminal returns the first of the files that is a terminal.
func firstTerminal(files ...*os.File) *os.File {
	for _, f := range files {
		if term.IsTerminal(int(f.Fd())) {
			return f
		}
	}
	return files[0]
}

// withFD calls f with the descriptor of a file, whose mode stays as it is: Fd would make it blocking.
func withFD(file *os.File, f func(fd int)) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Control(func(fd uintptr) { f(int(fd)) })
}

// give makes the terminal the program's standard input, and its output where ours is a terminal: what goes to a file or a pipe goes
// there unchanged.
func (t *terminal) give(cmd *exec.Cmd) {
	cmd.Stdin = t.side
	if !t.real || term.IsTerminal(1) {
		cmd.Stdout = t.side
	}
	if !t.real || term.IsTerminal(2) {
		cmd.Stderr = t.side
	}
}

// serve begins to show and to pass on. The program has its end of the terminal by now.
func (t *terminal) serve() {
	if t == nil {
		return
	}
	t.side.Close()
	go t.show()
	go t.input()
}

// show ends when nobody has the other end open any more, or finish sets a deadline. If it cannot show, the user's terminal is gone, and
// so is the program's, which hears of it by SIGHUP.
func (t *terminal) show() {
	defer close(t.shown)
	text := make([]byte, 32<<10)
	for {
		n, err := t.master.Read(text)
		if _, failed := t.screen.Write(text[:n]); failed != nil {
			t.master.Close()
			return
		}
		if err != nil {
			return
		}
	}
}

// finish shows what the program has printed to its end, and makes the user's terminal what it was. Others that the program has left
// behind may still print.
func (t *terminal) finish() {
	if t == nil {
		return
	}
	_ = t.master.SetReadDeadline(time.Now())
	<-t.shown
	_ = withFD(t.master, t.showRest)
	t.restore()
}

// showRest shows what is in the terminal, and not more than a terminal can hold.
func (t *terminal) showRest(fd int) {
	text := make([]byte, 4<<10)
	for range 256 {
		n, err := unix.Read(fd, text)
		if n <= 0 && err != unix.EINTR {
			return
		}
		_, _ = t.screen.Write(text[:max(n, 0)])
	}
}

// input passes on what comes from standard input, to its end.
func (t *terminal) input() {
	text := make([]byte, 4<<10)
	for {
		t.awaitForeground()
		n, err := unix.Read(0, text)
		switch {
		case n > 0:
			if _, err := t.master.Write(text[:n]); err != nil {
				return
			}
		case err == unix.EINTR || errors.Is(err, unix.EIO) && !t.foreground():
		default:
			if !t.real {
				t.endOfFile()
			}
			return
		}
	}
}

// endOfFile types what means the end of a file, twice: the first may only end a line, termios(3).
func (t *terminal) endOfFile() {
	var settings *unix.Termios
	err := withFD(t.master, func(fd int) { settings, _ = unix.IoctlGetTermios(fd, unix.TCGETS) })
	if err == nil && settings != nil && settings.Lflag&unix.ICANON != 0 {
		end := settings.Cc[unix.VEOF]
		_, _ = t.master.Write([]byte{end, end})
	}
}

// foreground reports whether the user's terminal is ours to read: a shell may have put this process into the background.
func (t *terminal) foreground() bool {
	_, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err != nil || inForeground(0) // where it is not our controlling terminal there is no job control
}

// awaitForeground waits until then. A shell that brings a running job to the foreground sends it nothing.
func (t *terminal) awaitForeground() {
	if !t.real || t.foreground() {
		return
	}
	for !t.foreground() {
		time.Sleep(100 * time.Millisecond)
	}
	t.resume()
}

// raw makes the user's terminal pass on every key, ^C too: what they mean is up to the program's terminal.
func (t *terminal) raw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.real && t.saved == nil && t.foreground() {
		t.saved, _ = term.MakeRaw(0)
	}
}

// restore makes the user's terminal what it was before raw.
func (t *terminal) restore() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.saved != nil {
		_ = term.Restore(0, t.saved)
		t.saved = nil
	}
}

// resume is for after a stop: the shell had the terminal meanwhile, and its window may have another size.
func (t *terminal) resume() {
	t.raw()
	t.resize()
}

// resize gives the program's terminal the size of the user's, of which the kernel tells the program by SIGWINCH.
func (t *terminal) resize() {
	if !t.real {
		return
	}
	if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
		_ = withFD(t.master, func(fd int) { _ = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) })
	}
}
