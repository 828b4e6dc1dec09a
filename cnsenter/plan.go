// SPDX-License-Identifier: Apache-2.0

package cnsenter

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// Plan is the list of steps that a program takes, in this order, between its start and the start of its Go runtime.
// Either all are taken or its main function is never reached.
//
// A plan holds no resources of its own: the files in its steps stay the caller's, and must be open until Start returns.
// It can be started any number of times, also concurrently.
type Plan []Step

// Step is one step of a Plan, made by the functions of this package. The zero Step is not valid.
type Step struct {
	op    Op
	file  *os.File
	value uint32
	data  string // NUL-free text, or the groups in native byte order
}

// Join enters namespaces, setns(2). If f refers to a namespace, types is its type; if f is a pidfd, types is the set of
// namespaces of that process to enter, all of them or none.
//
// Consecutive Joins are one group: those that are refused with EPERM are tried again once others of the group are done, since
// it depends on the owners whether a namespace can be entered before the user namespace or only after it.
//
// After a Join of a mount namespace the root and working directory are that namespace's root. A Join of a PID namespace
// moves no process: add a Fork after it.
func Join(f *os.File, types ns.Type) Step {
	return Step{op: OpJoin, file: f, value: uint32(types)}
}

// Fork goes on in a child process, which is what enters a PID namespace that was joined before. The process that Start
// started stays behind as a relay: it passes on the signals that it gets, stops, continues and ends in the way the child does,
// is killed together with it, and kills it when the process that called Start is gone.
func Fork() Step { return Step{op: OpFork} }

// Chroot makes path the root and the working directory, chroot(2). Path is resolved when the step is taken.
func Chroot(path string) Step { return Step{op: OpChroot, data: path} }

// FChroot makes the open directory f the root and the working directory.
func FChroot(f *os.File) Step { return Step{op: OpChroot, file: f} }

// Chdir changes the working directory to path, which is resolved when the step is taken. A directory that lies outside the root
// or the mount namespace is refused with ENOENT.
func Chdir(path string) Step { return Step{op: OpChdir, data: path} }

// FChdir changes the working directory to the open directory f, on the terms of Chdir.
func FChdir(f *os.File) Step { return Step{op: OpChdir, file: f} }

// Setsid makes the process the leader of a new session without a controlling terminal, setsid(2).
func Setsid() Step { return Step{op: OpSetsid} }

// SetGroups sets the supplementary groups, setgroups(2), as the user namespace that is entered by then counts them.
func SetGroups(gids ...int) Step { return Step{op: OpSetGroups, data: groups(gids)} }

// DropGroups leaves all supplementary groups, except in a user namespace that denies it, user_namespaces(7), where they
// stay.
func DropGroups() Step { return Step{op: OpDropGroups} }

// SetGID sets the real, effective and saved group id, as the user namespace that is entered by then counts them.
func SetGID(gid int) Step { return Step{op: OpSetGID, value: uint32(gid)} }

// SetUID sets the real, effective and saved user id. Changed from 0 to another, the process loses its capabilities.
func SetUID(uid int) Step { return Step{op: OpSetUID, value: uint32(uid)} }

// NoNewPrivs sets the no_new_privs attribute, prctl(2): no execve grants privileges any more.
func NoNewPrivs() Step { return Step{op: OpNoNewPrivs} }

// Exec executes path in place of the program that was started, with that one's arguments and environment. Without a slash, path
// is looked up in $PATH there, execvp(3). It is the last step of its plan.
func Exec(path string) Step { return Step{op: OpExec, data: path} }

// Op names what a step does.
type Op uint32

// The operations of the steps, and after them those that are part of every start.
const (
	OpJoin Op = 1 + iota
	OpFork
	OpChroot
	OpChdir
	OpSetsid
	OpSetGroups
	OpDropGroups
	OpSetGID
	OpSetUID
	OpNoNewPrivs
	OpExec
	opSteps

	OpStart  Op = 0x100 + iota // starting the program
	OpGuard                    // protecting the new process against its target
	OpRoot                     // leaving the target's root directory and coming back to it
	OpReport                   // waiting for word from the new process
)

var opNames = map[Op]string{
	OpJoin: "join", OpFork: "fork", OpChroot: "chroot", OpChdir: "chdir", OpSetsid: "setsid", OpSetGroups: "set groups",
	OpDropGroups: "drop groups", OpSetGID: "set gid", OpSetUID: "set uid", OpNoNewPrivs: "set no_new_privs", OpExec: "execute",
	OpStart: "start", OpGuard: "guard", OpRoot: "root", OpReport: "report",
}

func (o Op) String() string {
	if name, ok := opNames[o]; ok {
		return name
	}
	return fmt.Sprintf("Op(%d)", uint32(o))
}

// object names what a step is about, for its error.
func (s Step) object() string {
	switch {
	case s.file != nil:
		return s.file.Name()
	case s.op == OpSetGID || s.op == OpSetUID:
		return fmt.Sprint(int32(s.value))
	case s.op != OpSetGroups:
		return s.data
	}
	return ""
}

// check finds what no kernel would have to be asked about. The constructor checks the same again, on what it received.
func (p Plan) check() error {
	if len(p) > maxSteps {
		return &Error{Step: maxSteps, Op: OpStart, Err: fmt.Errorf("more than %d steps", maxSteps)}
	}
	forked := false
	for i, s := range p {
		if err := s.check(i == len(p)-1, forked); err != nil {
			return &Error{Step: i, Op: s.op, Types: ns.Type(s.types()), Path: s.object(), Err: err}
		}
		forked = forked || s.op == OpFork
	}
	return nil
}

func (s Step) check(last, forked bool) error {
	switch s.op {
	case OpJoin:
		if s.file == nil {
			return os.ErrInvalid
		}
		if t := ns.Type(s.value); t == 0 || t&^ns.All != 0 {
			return fmt.Errorf("%w: no namespace types: %v", os.ErrInvalid, t)
		}
	case OpFork:
		if forked {
			return errors.New("a plan can fork only once")
		}
	case OpExec:
		if !last {
			return errors.New("only the last step can execute a program")
		}
		fallthrough
	case OpChroot, OpChdir:
		if s.file == nil && (s.data == "" || strings.ContainsRune(s.data, 0)) {
			return fmt.Errorf("%w: bad path %q", os.ErrInvalid, s.data)
		}
	case OpSetGID, OpSetUID:
		if int32(s.value) < 0 {
			return fmt.Errorf("%w: no id", os.ErrInvalid)
		}
	case OpSetsid, OpSetGroups, OpDropGroups, OpNoNewPrivs:
	default:
		return fmt.Errorf("%w: not a step", os.ErrInvalid)
	}
	return nil
}

func (s Step) types() uint32 {
	if s.op == OpJoin {
		return s.value
	}
	return 0
}

func (p Plan) has(op Op) bool {
	for _, s := range p {
		if s.op == op {
			return true
		}
	}
	return false
}
