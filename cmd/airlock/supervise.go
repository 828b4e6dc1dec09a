// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/airlock-ns/airlock/cnsenter"
	"golang.org/x/sys/unix"
)

// supervisor is airlock as the parent of the program, when there is something to do beside it: a terminal to serve, a status to report, a
// namespace of the program's to furnish. Between the two is the relay, cnsenter.Fork, which the program does not outlive, and which does
// not outlive airlock.
type supervisor struct {
	terminal *terminal
	status   *status
	relay    int     // its pid
	caught   *action // what SIGTSTP does in this process when it is not about to stop

	born func(pid int) error // is called when the program is in its namespaces, and not executed yet
}

// supervise runs the program that the plan executes, and ends this process as the program ends. It returns only if the program cannot be
// started.
func (s *supervisor) supervise(l launch) error {
	signals := signals() // from now on none ends this process and leaves the terminal raw
	err := s.start(l)
	if err != nil {
		s.terminal.restore()
		return l.failed(err)
	}
	s.status.running()
	ended := s.attend(signals)
	s.terminal.finish()
	s.status.ended(ended)
	endLike(ended)
	return nil // not reached
}

func (s *supervisor) start(l launch) error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args, cmd.Env = l.argv, l.env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if s.terminal != nil {
		s.terminal.give(cmd)
		s.terminal.raw()
	}
	if err := s.behindRelay(l.plan).Start(cmd); err != nil {
		return err
	}
	s.relay = cmd.Process.Pid
	stayInBackground()
	s.terminal.serve()
	return nil
}

// behindRelay returns the plan with a relay, which leads the session of the terminal if there is one. A plan that is not to fork between
// the namespaces and the program forks before them. Once in its namespaces, before it changes its ids, the program is shown to born.
func (s *supervisor) behindRelay(plan cnsenter.Plan) cnsenter.Plan {
	steps := cnsenter.Plan{cnsenter.Fork()}
	if s.terminal != nil {
		steps = cnsenter.Plan{cnsenter.Setsid(), cnsenter.Terminal(), cnsenter.Fork()}
	}
	if s.born != nil || s.status != nil {
		plan = slices.Insert(slices.Clone(plan), inside(plan), cnsenter.Await(s.see))
	}
	at := slices.IndexFunc(plan, func(step cnsenter.Step) bool { return step.Op() == cnsenter.OpFork })
	if at < 0 {
		return append(steps, plan...)
	}
	return slices.Concat(plan[:at], steps, plan[at+1:])
}

// see is called with the pid of the program in its namespaces.
func (s *supervisor) see(pid int) error {
	s.status.see(pid)
	if s.born == nil {
		return nil
	}
	return s.born(pid)
}

// inside returns the index of the first step that comes when the namespaces and the directories are entered: it changes the ids, or
// executes the program.
func inside(plan cnsenter.Plan) int {
	at := 0
	for i, step := range plan {
		switch step.Op() {
		case cnsenter.OpDropGroups, cnsenter.OpSetGroups, cnsenter.OpSetGID, cnsenter.OpSetUID, cnsenter.OpSetCaps,
			cnsenter.OpNoNewPrivs, cnsenter.OpExec:
		default:
			at = i + 1
		}
	}
	return at
}

// attend passes on what is sent to this process, and returns how the program has ended.
func (s *supervisor) attend(signals <-chan os.Signal) unix.WaitStatus {
	states := states(s.relay)
	for {
		select {
		case sent := <-signals:
			s.pass(sent)
		case state := <-states:
			if !state.Stopped() {
				return state
			}
			s.stop()
		}
	}
}

// states tells of the relay's stops and its end, which are the program's.
func states(pid int) <-chan unix.WaitStatus {
	told := make(chan unix.WaitStatus)
	go func() {
		for {
			var state unix.WaitStatus
			_, err := unix.Wait4(pid, &state, unix.WUNTRACED, nil)
			if err == unix.EINTR {
				continue
			}
			told <- state
			if !state.Stopped() {
				return
			}
		}
	}()
	return told
}

// pass passes a signal on. What a terminal sends it sends to the whole process group, and so to the program, unless that has a terminal
// of its own.
func (s *supervisor) pass(sent os.Signal) {
	switch {
	case sent == unix.SIGCONT:
		s.resume()
	case s.terminal == nil:
		if byTerminal(sent) {
			return
		}
	case sent == unix.SIGWINCH:
		s.terminal.resize()
		return
	}
	_ = unix.Kill(s.relay, sent.(syscall.Signal)) // or it has ended, as is told next
}

// stop stops this process, since the program has stopped; with a terminal, as its ^Z would: the whole process group. It goes on when
// somebody sends SIGCONT.
func (s *supervisor) stop() {
	switch {
	case s.terminal == nil || !s.terminal.real:
		_ = unix.Kill(unix.Getpid(), unix.SIGSTOP)
	case orphaned():
		_ = unix.Kill(s.relay, unix.SIGCONT)
	default:
		s.terminal.restore()
		caught := setAction(unix.SIGTSTP, action{})
		s.caught = &caught
		_ = unix.Kill(0, unix.SIGTSTP)
	}
}

func (s *supervisor) resume() {
	if s.caught != nil {
		setAction(unix.SIGTSTP, *s.caught)
		s.caught = nil
	}
	if s.terminal != nil {
		s.terminal.resume()
	}
}

// failed is the error of a program that was not started, as the constructor prints it for one that replaces this process, with the
// exit status of env(1).
func (l launch) failed(err error) error {
	var e *cnsenter.Error
	if !errors.As(err, &e) {
		return err
	}
	text := strings.TrimPrefix((&cnsenter.Error{Step: -1, Op: e.Op, Types: e.Types, Path: e.Path, Err: e.Err}).Error(), "cnsenter: ")
	if i := slices.IndexFunc(l.plan, func(step cnsenter.Step) bool { return step.Op() == e.Op }); i >= 0 && advisable(err) {
		if advice := l.advise(l.plan[i]); advice != "" {
			text += "\n" + advice
		}
	}
	status := 1
	switch {
	case e.Op != cnsenter.OpExec:
	case errors.Is(err, unix.ENOENT):
		status = 127
	default:
		status = 126
	}
	return statusError{errors.New(text), status}
}

func advisable(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOMEM)
}
