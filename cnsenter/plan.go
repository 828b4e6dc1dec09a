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
	data  string // NUL-free text, or numbers in native byte order
	spec  *ns.Spec

	meanwhile func(pid int) error
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

// Unshare enters new namespaces, unshare(2). Into a new PID or time namespace the process comes only by a Fork after it. The id maps
// of a new user namespace are written by the process that called Start, directly where it may, and otherwise by newuidmap(1)
// and newgidmap(1), which know the ids that a user has in subuid(5) and subgid(5). A user namespace is made before any Fork. No user namespace
// is made, and no clock set, in a user namespace that the plan has joined.
func Unshare(s ns.Spec) Step {
	return Step{op: OpUnshare, value: uint32(s.Types), data: offsets(s), spec: &s}
}

// Fork goes on in a child process, which is what enters a PID namespace that was joined before. The process that Start
// started stays behind as a relay: it passes on the signals that it gets, stops, continues and ends in the way the child does,
// is killed together with it, and kills it when the process that called Start is gone. When the relay is killed by SIGKILL, init
// reaps the child, or the process that is a subreaper, prctl(2).
func Fork() Step { return Step{op: OpFork} }

// JoinCgroup moves the process into the cgroup whose cgroup.procs file is f, open for writing, cgroups(7). Children that a later
// Fork makes are in it too.
func JoinCgroup(f *os.File) Step { return Step{op: OpJoinCgroup, file: f} }

// Chroot makes path the root and the working directory, chroot(2). Path is resolved when the step is taken.
func Chroot(path string) Step { return Step{op: OpChroot, data: path} }

// FChroot makes the open directory f the root and the working directory.
func FChroot(f *os.File) Step { return Step{op: OpChroot, file: f} }

// Chdir changes the working directory to path, which is resolved when the step is taken. A directory that lies outside the root
// or the mount namespace is refused with ENOENT.
func Chdir(path string) Step { return Step{op: OpChdir, data: path} }

// FChdir changes the working directory to the open directory f, on the terms of Chdir.
func FChdir(f *os.File) Step { return Step{op: OpChdir, file: f} }

// FChdirOutside changes the working directory to the open directory f, wherever that is. Outside of the root directory or the mount
// namespace it leads whatever runs there out of them.
func FChdirOutside(f *os.File) Step { return Step{op: OpChdir, file: f, value: 1} }

// Setsid makes the process the leader of a new session without a controlling terminal, setsid(2), unless it leads one. The leader of a
// process group cannot: EPERM.
func Setsid() Step { return Step{op: OpSetsid} }

// Terminal makes standard input the controlling terminal of the session that a Setsid before it has begun, TIOCSCTTY in
// ioctl_tty(2). A later Fork puts the child into a process group of its own, in the foreground: the relay then leads the session, so the
// terminal can stop the child, and with it the relay.
func Terminal() Step { return Step{op: OpTerminal} }

// SetGroups sets the supplementary groups, setgroups(2), as the user namespace that is entered by then counts them.
func SetGroups(gids ...int) Step { return Step{op: OpSetGroups, data: groups(gids)} }

// DropGroups leaves all supplementary groups, except in a user namespace that denies it, user_namespaces(7), where they
// stay.
func DropGroups() Step { return Step{op: OpDropGroups} }

// SetGID sets the real, effective and saved group id, as the user namespace that is entered by then counts them.
func SetGID(gid int) Step { return Step{op: OpSetGID, value: uint32(gid)} }

// SetUID sets the real, effective and saved user id. Changed from 0 to another, the process loses its capabilities, except
// those that a later SetCaps keeps.
func SetUID(uid int) Step { return Step{op: OpSetUID, value: uint32(uid)} }

// SetCaps sets the capability sets, capabilities(7). What the process has in none of its sets it does not get: EPERM.
func SetCaps(c Caps) Step { return Step{op: OpSetCaps, data: c.data()} }

// NoNewPrivs sets the no_new_privs attribute, prctl(2): no execve grants privileges any more.
func NoNewPrivs() Step { return Step{op: OpNoNewPrivs} }

// Mount mounts, mount(2), or changes a mount, as the flags say. The arguments that a kind of mount has no use for are "". The path is
// resolved when the step is taken: among the target's files if its mount namespace was joined before.
func Mount(source, path, fstype string, flags uint32, data string) Step {
	return Step{op: OpMount, value: flags, data: strings.Join([]string{source, path, fstype, data}, "\x00")}
}

// Attach mounts the whole file tree of another mount namespace, with all that is mounted there, at path, open_tree(2), Linux 5.2. F is a
// namespace or a pidfd. The process has to be in a mount namespace that it may enter again: a new one, see Unshare.
func Attach(f *os.File, path string) Step { return Step{op: OpAttach, file: f, data: path} }

// Write writes text to the file at path below the open directory, which is not opened before: with a /proc that is the caller's,
// "thread-self/attr/exec" is that of the process that takes the step, whatever the target has at /proc.
func Write(directory *os.File, path, text string) Step {
	return Step{op: OpWrite, file: directory, data: path + "\x00" + text}
}

// DieWithCaller has the kernel kill the process when the thread that called Start ends, PR_SET_PDEATHSIG in prctl(2): lock that thread, and
// keep it. Behind a relay the process dies with the caller anyhow. A set-user-ID program that is executed is free of it.
func DieWithCaller() Step { return Step{op: OpDieWithCaller} }

// Await stops the process while f runs in the caller, with the pid of the process as the caller counts them. An error of f ends the
// start, and is the cause of its error. If the process is in no user namespace that the plan joined, its files in /proc are its
// owner's meanwhile, proc_pid(5).
func Await(f func(pid int) error) Step { return Step{op: OpAwait, meanwhile: f} }

// Exec executes path in place of the program that was started, with that one's arguments and environment. Without a slash, path
// is looked up in $PATH there, execvp(3). It is the last step of its plan.
func Exec(path string) Step { return Step{op: OpExec, data: path} }

// Op returns what the step does.
func (s Step) Op() Op { return s.op }

// Op names what a step does.
type Op uint32

// The operations of the steps, and after them those that are part of every start.
const (
	OpJoin Op = 1 + iota
	OpUnshare
	OpFork
	OpJoinCgroup
	OpChroot
	OpChdir
	OpSetsid
	OpTerminal
	OpSetGroups
	OpDropGroups
	OpSetGID
	OpSetUID
	OpSetCaps
	OpNoNewPrivs
	OpMount
	OpAttach
	OpWrite
	OpDieWithCaller
	OpAwait
	OpExec
	opSteps

	OpStart  Op = 0x100 + iota // starting the program
	OpSeal                     // copying the program, see Seal
	OpGuard                    // protecting the new process against its target
	OpRoot                     // leaving the target's root directory and coming back to it
	OpReport                   // waiting for word from the new process
)

var opNames = [...]string{
	OpJoin: "join", OpUnshare: "unshare", OpFork: "fork", OpJoinCgroup: "join the cgroup of", OpChroot: "chroot", OpChdir: "chdir",
	OpSetsid: "setsid", OpTerminal: "take the terminal", OpSetGroups: "set groups", OpDropGroups: "drop groups",
	OpSetGID: "set gid", OpSetUID: "set uid", OpSetCaps: "set capabilities", OpNoNewPrivs: "set no_new_privs", OpMount: "mount",
	OpAttach: "attach", OpWrite: "write", OpDieWithCaller: "die with the caller", OpAwait: "await the caller", OpExec: "execute",
}

func (o Op) String() string {
	switch o {
	case OpStart:
		return "start"
	case OpSeal:
		return "seal"
	case OpGuard:
		return "guard"
	case OpRoot:
		return "root"
	case OpReport:
		return "report"
	}
	if int(o) < len(opNames) && opNames[o] != "" {
		return opNames[o]
	}
	return fmt.Sprintf("Op(%d)", uint32(o))
}

// object names what a step is about, for its error.
func (s Step) object() string {
	switch s.op {
	case OpSetGID, OpSetUID:
		return fmt.Sprint(int32(s.value))
	case OpMount:
		return strings.Split(s.data, "\x00")[1]
	case OpAttach:
		return s.data
	case OpWrite:
		path, _, _ := strings.Cut(s.data, "\x00")
		if s.file == nil {
			return path
		}
		return s.file.Name() + "/" + path
	case OpChroot, OpChdir, OpExec, OpJoin, OpJoinCgroup:
		if s.file != nil {
			return s.file.Name()
		}
		return s.data
	}
	return ""
}

// Types returns the types of the namespaces that the step joins or makes, and none for those of other kinds.
func (s Step) Types() ns.Type {
	if s.op == OpJoin || s.op == OpUnshare {
		return ns.Type(s.value)
	}
	return 0
}

// order is what the place of a step in its plan depends on: what came before it.
type order struct {
	forked, joinedUser, rooted, lowered bool
}

// check finds what no kernel would have to be asked about. The constructor checks the same again, on what it received.
func (p Plan) check() error {
	if len(p) > maxSteps {
		return &Error{Step: maxSteps, Op: OpStart, Err: fmt.Errorf("more than %d steps", maxSteps)}
	}
	executes := p.has(OpExec)
	var before order
	for i, s := range p {
		err := s.check()
		if err == nil {
			err = before.check(s, i == len(p)-1, executes)
		}
		if err != nil {
			return &Error{Step: i, Op: s.op, Types: s.Types(), Path: s.object(), Err: err}
		}
		before.add(s)
	}
	return nil
}

func (s Step) check() error {
	switch s.op {
	case OpJoin, OpUnshare:
		if t := s.Types(); t == 0 || t&^ns.All != 0 {
			return fmt.Errorf("%w: no namespace types: %v", os.ErrInvalid, t)
		}
		if s.op == OpJoin && s.file == nil {
			return os.ErrInvalid
		}
	case OpJoinCgroup:
		if s.file == nil {
			return os.ErrInvalid
		}
	case OpExec, OpChroot, OpChdir:
		if s.file == nil && (s.data == "" || strings.ContainsRune(s.data, 0)) {
			return fmt.Errorf("%w: bad path %q", os.ErrInvalid, s.data)
		}
	case OpMount:
		if texts := strings.Split(s.data, "\x00"); len(texts) != 4 || texts[1] == "" {
			return fmt.Errorf("%w: bad texts %q", os.ErrInvalid, s.data)
		}
	case OpAttach:
		if s.file == nil || s.data == "" || strings.ContainsRune(s.data, 0) {
			return fmt.Errorf("%w: bad path %q", os.ErrInvalid, s.data)
		}
	case OpWrite:
		if s.file == nil || strings.Count(s.data, "\x00") != 1 || s.data[0] == '/' {
			return fmt.Errorf("%w: bad texts %q", os.ErrInvalid, s.data)
		}
	case OpSetGID, OpSetUID:
		if int32(s.value) < 0 {
			return fmt.Errorf("%w: no id", os.ErrInvalid)
		}
	case OpAwait:
		if s.meanwhile == nil {
			return os.ErrInvalid
		}
	case OpFork, OpSetsid, OpTerminal, OpSetGroups, OpDropGroups, OpSetCaps, OpNoNewPrivs, OpDieWithCaller:
	default:
		return fmt.Errorf("%w: not a step", os.ErrInvalid)
	}
	return nil
}

func (o *order) add(s Step) {
	o.forked = o.forked || s.op == OpFork
	o.joinedUser = o.joinedUser || s.op == OpJoin && s.Types().Has(ns.User)
	o.rooted = o.rooted || s.op == OpChroot || s.op == OpJoin && s.Types().Has(ns.Mount)
	o.lowered = o.lowered || s.op == OpSetUID && s.value != 0 || s.op == OpSetCaps
}

func (o order) check(s Step, last, executes bool) error {
	switch {
	case s.op == OpFork && o.forked:
		return errors.New("a plan can fork only once")
	case s.op == OpUnshare && (s.Types().Has(ns.User) && o.forked || (s.Types().Has(ns.User) || s.data != "") && o.joinedUser):
		return errors.New("a user namespace is made, and clocks are set, before a fork and not in a user namespace that was joined")
	case o.rooted && (s.op == OpAttach || s.op == OpUnshare && s.data != ""):
		return errors.New("this takes files of /proc, and so comes before the root directory or the mount namespace is another's")
	case s.op == OpExec && !last:
		return errors.New("only the last step can execute a program")
	}
	after := o
	after.add(s)
	if s.needsRoot() && o.lowered && after.rooted && !executes {
		return errors.New("this comes before the uid and the capabilities are changed, unless the plan ends with Exec")
	}
	return nil
}

// needsRoot reports whether the step is for a process under the root directory that the plan gave it. After a change of the uid or the
// capabilities it is under another while Go starts, and a helper that shares its directories is to lead it back: a new mount or
// user namespace, or a fork, would part the two.
func (s Step) needsRoot() bool {
	switch s.op {
	case OpChroot, OpChdir, OpMount, OpAttach, OpFork:
		return true
	case OpJoin, OpUnshare:
		return s.Types()&(ns.Mount|ns.User) != 0 || s.data != ""
	}
	return false
}

func (p Plan) has(op Op) bool {
	for _, s := range p {
		if s.op == op {
			return true
		}
	}
	return false
}
