// SPDX-License-Identifier: Apache-2.0

//go:build linux && !cgo

package cnsenter

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Replace takes the steps and then executes the program of the Exec step that ends the plan, in place of this process, execve(2), with these
// arguments and this environment. Of the descriptors only 0, 1 and 2 stay open.
//
// Without the constructor it is the calling thread that takes them, and this program with all its threads that is replaced by the
// program which that thread executes. So there are no user and time namespaces, which take a process of one thread, setns(2), and no
// capability sets; behind a Fork no mount is made. Such a plan is refused with ErrNotLinked. Behind a Fork this process stays, passes
// signals on, and ends as the program does; the program outlives it if it is killed by SIGKILL.
//
// It returns only if it fails before the first step, with an *Error. When a step fails, the error is printed on standard error, after name
// and a colon, and below it what advise says of the step, unless that is empty; the exit status is that of env(1): 127 if the
// program was not found, 126 if it could not be executed, and else 1.
func (p Plan) Replace(name string, argv, env []string, advise func(Step) string) error {
	if err := p.check(); err != nil {
		return err
	}
	if len(p) == 0 || p[len(p)-1].op != OpExec {
		return &Error{Step: -1, Op: OpStart, Err: errors.New("a plan to replace the process ends with Exec")}
	}
	forks := false
	for i, s := range p {
		if !s.ofThread() || forks && s.op == OpMount {
			return &Error{Step: i, Op: s.op, Types: s.Types(), Path: s.object(), Err: ErrNotLinked}
		}
		forks = forks || s.op == OpFork
	}
	runtime.LockOSThread()
	if err := detach(); err != nil {
		return &Error{Step: -1, Op: OpGuard, Err: err}
	}
	for i, s := range p {
		if err := s.take(); err != nil {
			p.end(i, err, name, advise)
		}
	}
	err := replace(p[len(p)-1].data, argv, env, forks)
	p.end(len(p)-1, err, name, advise)
	return err
}

// detach gives the thread a root and working directory of its own, as a change of the mount namespace demands, setns(2), hides the process
// from the target, and lets execve close what is open.
func detach() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	return closeOnExec(3)
}

// end prints the error of a step, and ends the process.
func (p Plan) end(step int, err error, name string, advise func(Step) string) {
	s := p[step]
	fmt.Fprintf(os.Stderr, "%s: %s: %v\n", name, strings.Replace(s.label(), "@", s.Types().String(), 1), err)
	permission := []error{syscall.EPERM, syscall.ENOENT, syscall.ENOMEM}
	if advice := advise(s); advice != "" && slices.ContainsFunc(permission, func(e error) bool { return errors.Is(err, e) }) {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, advice)
	}
	switch {
	case s.op == OpExec && errors.Is(err, syscall.ENOENT):
		os.Exit(127)
	case s.op == OpExec:
		os.Exit(126)
	}
	os.Exit(1)
}

// replace executes the program, or starts it and ends as it does. Without a slash it is looked up as execvp(3) does.
func replace(program string, argv, env []string, forks bool) error {
	var refused error
	for _, path := range candidates(program, env) {
		var err error
		if forks {
			err = relay(path, argv, env)
		} else {
			err = syscall.Exec(path, argv, env)
		}
		switch err {
		case syscall.ENOENT, syscall.ENOTDIR:
		case syscall.EACCES:
			refused = err
		default:
			return err
		}
	}
	if refused != nil {
		return refused
	}
	return syscall.ENOENT
}

func candidates(program string, env []string) []string {
	if strings.Contains(program, "/") {
		return []string{program}
	}
	search := "/usr/local/bin:/bin:/usr/bin"
	for _, v := range env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			search = path
		}
	}
	var list []string
	for dir := range strings.SplitSeq(search, ":") {
		if dir == "" {
			dir = "."
		}
		list = append(list, dir+"/"+program)
	}
	return list
}
