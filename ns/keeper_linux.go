// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A user namespace needs a creator with a single thread, and a pid namespace needs a first process
// for as long as it is to live: clone(2), pid_namespaces(7). Go can fork only to execute, and a copy
// of the running program would execute code of the caller's, such as package initialisation, inside
// the new namespaces. So the keeper is a program of its own, as small as can be, kept in this package
// as machine code and executed from memory, memfd_create(2). It
//
//   - ignores SIGCHLD, so that orphans are reaped, sigaction(2);
//   - closes all descriptors but 0, close_range(2);
//   - reads a set of types, 4 bytes, from descriptor 0; calls unshare(2) with it; writes the result,
//     4 bytes, to descriptor 0; and so on;
//   - exits at the end of file, which comes at the latest when the process that started it ends.
//
// Alternatives that were weighed: a forked child that never executes costs a copy of the page tables
// and keeps every page alive that the caller frees later; a program that ptrace(2) stops at its
// execve(2) runs on, as a second copy of the caller, if the tracer dies at the wrong moment.
type keeper struct {
	process *os.Process
	line    *os.File
}

// newByChild makes the namespaces by the clone(2) that makes the keeper.
func newByChild(s Spec) (*Set, error) {
	pidfd := -1
	k, err := s.startKeeper(&pidfd)
	if err != nil {
		return nil, err
	}
	if pidfd >= 0 {
		defer unix.Close(pidfd)
	}
	set := new(Set)
	proc := "/proc/" + strconv.Itoa(k.process.Pid)
	// For time, clone(2) has no bit, and execve(2) would fix the clocks, time_namespaces(7). Without
	// time nothing is unshared, but the answer says that the keeper is at work: what becomes an orphan
	// from now on is reaped.
	if err = k.unshare(s.Types & Time); err == nil {
		err = s.writeOffsets(proc)
	}
	if err == nil {
		err = set.open(s.Types, pidfd, proc)
	}
	if err == nil && s.Types.Has(PID) {
		set.keeper = k
		return set, nil
	}
	if end := k.end(); end != nil {
		err = errors.Join(err, end)
	}
	k.reap()
	if err != nil {
		_ = set.Close()
		return nil, err
	}
	return set, nil
}

func (s Spec) startKeeper(pidfd *int) (*keeper, error) {
	if machine == 0 {
		return nil, fmt.Errorf("user and pid namespaces on this processor: %w", errors.ErrUnsupported)
	}
	exe, err := keeperFile()
	if err != nil {
		return nil, err
	}
	defer exe.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	line, far := os.NewFile(uintptr(pair[0]), "keeper"), os.NewFile(uintptr(pair[1]), "keeper")
	defer far.Close()

	attr := &syscall.SysProcAttr{
		Cloneflags: uintptr(s.Types &^ (Mount | Time)),
		// The mount namespace comes after the user namespace either way; by this route package
		// syscall makes its mounts private.
		Unshareflags: uintptr(s.Types & Mount),
		Setsid:       true, // no signal from a terminal
		PidFD:        pidfd,
	}
	if s.Types.Has(User) {
		attr.UidMappings = mappings(s.UIDMap, os.Geteuid())
		attr.GidMappings = mappings(s.GIDMap, os.Getegid())
		attr.GidMappingsEnableSetgroups = maySetgroups() && !s.DenySetgroups
	}
	if s.Types.Has(Time) {
		// Without it execve(2) takes the privilege to unshare(2) from all but user id 0.
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	p, err := os.StartProcess("/proc/self/fd/"+strconv.Itoa(int(exe.Fd())), []string{"airlock-keeper"}, &os.ProcAttr{
		Dir: "/", Env: []string{}, Files: []*os.File{far}, Sys: attr,
	})
	if err != nil {
		_ = line.Close()
		if pathErr := (*os.PathError)(nil); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, err
	}
	return &keeper{process: p, line: line}, nil
}

// unshare makes the keeper call unshare(2).
func (k *keeper) unshare(t Type) error {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], uint32(t))
	if _, err := k.line.Write(b[:]); err != nil {
		return fmt.Errorf("ask keeper: %w", err)
	}
	if n, err := k.line.Read(b[:]); err != nil || n != len(b) {
		return fmt.Errorf("keeper ended: %w", errors.Join(err, unix.EPIPE))
	}
	if r := int32(binary.NativeEndian.Uint32(b[:])); r != 0 {
		return fmt.Errorf("unshare: %w", unix.Errno(-r))
	}
	return nil
}

// end kills the keeper, and with it its pid namespace if it has one.
func (k *keeper) end() error {
	defer k.line.Close()
	if err := k.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return &Error{Op: "end", Ref: "pid " + strconv.Itoa(k.process.Pid), Err: err}
	}
	return nil
}

// reap waits for the end of the keeper. An error means that somebody else has reaped it, or that
// SIGCHLD is ignored, wait(2).
func (k *keeper) reap() { _, _ = k.process.Wait() }

func mappings(maps []IDMap, id int) []syscall.SysProcIDMap {
	if len(maps) == 0 {
		return []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
	}
	out := make([]syscall.SysProcIDMap, len(maps))
	for i, m := range maps {
		out[i] = syscall.SysProcIDMap{ContainerID: m.Inside, HostID: m.Outside, Size: m.Size}
	}
	return out
}

// maySetgroups reports whether a new user namespace may allow setgroups(2): its creator needs
// CAP_SETGID, and must not be forbidden it itself, user_namespaces(7).
func maySetgroups() bool {
	own, err := os.ReadFile("/proc/thread-self/setgroups")
	if err == nil && string(own) == "deny\n" {
		return false
	}
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	return unix.Capget(&h, &d[0]) == nil && d[0].Effective&(1<<unix.CAP_SETGID) != 0
}
