// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"context"
	"errors"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// List yields every namespace that the caller's /proc lets it find, in the order of their inodes:
// those that processes and threads are in, those that only a descriptor, a socket or a bind mount
// keeps alive, and those that exist for the sake of others, as owner or parent. Of a process that the
// caller may not look into, ptrace(2), nothing is found, and that is no error.
//
// It reads /proc once, remembers numbers, and asks each namespace for its relations only when it
// yields it: so few descriptors are open at a time. What changes meanwhile is seen or not. The
// error is that of ctx, or says why /proc cannot be read; it is the last that is yielded.
func List(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		c, err := takeCensus(ctx)
		if err != nil {
			yield(Info{}, &Error{Op: "list", Ref: "/proc", Err: err})
			return
		}
		for _, ino := range c.inodes() {
			if err := ctx.Err(); err != nil {
				yield(Info{}, &Error{Op: "list", Ref: "/proc", Err: err})
				return
			}
			if !c.yield(c.found[ino], yield) {
				return
			}
		}
	}
}

// Open opens the namespace, by one of the processes or things that keep it alive. If none does any
// more, the error holds fs.ErrNotExist. The caller closes the Handle.
func (i Info) Open() (*Handle, error) {
	for _, pid := range i.PIDs {
		if h := i.accept(OpenPID(pid, i.Type)); h != nil {
			return h, nil
		}
	}
	for _, k := range i.Keepers {
		if h := i.accept(k.open(i.Type)); h != nil {
			return h, nil
		}
	}
	return nil, &Error{Op: "open", Ref: i.Type.String() + ":[" + i.ID.String() + "]", Err: unix.ENOENT}
}

// accept returns h if it is the namespace, and closes it if it is another one.
func (i Info) accept(h *Handle, err error) *Handle {
	if err == nil && h.id == i.ID {
		return h
	}
	_ = h.Close()
	return nil
}

// open opens the namespace of type t that k keeps.
func (k Keeper) open(t Type) (*Handle, error) {
	proc := "/proc/" + strconv.Itoa(k.PID)
	switch k.Kind {
	case KeptByThread:
		return OpenThread(k.PID, k.TID, t)
	case KeptByChildren:
		return Open(proc + "/ns/" + t.String() + "_for_children")
	case KeptByDescriptor:
		return Open(proc + "/fd/" + strconv.Itoa(k.FD))
	case KeptByMount:
		return Open(proc + "/root" + k.Path)
	case KeptBySocket:
		fd, err := stolenSocketNetns(k.PID, k.FD)
		if err != nil {
			return nil, err
		}
		ref := proc + "/fd/" + strconv.Itoa(k.FD)
		return adopt(os.NewFile(uintptr(fd), ref), ref, nil)
	}
	return nil, unix.ENOENT
}

// yield completes the Info and yields it, and before it the owner and the parent if nobody else knows
// of them.
func (c *census) yield(i *Info, yield func(Info, error) bool) bool {
	h, err := i.Open()
	if err != nil {
		return true // gone
	}
	defer h.Close()
	return c.yieldOpen(i, h, yield)
}

func (c *census) yieldOpen(i *Info, h *Handle, yield func(Info, error) bool) bool {
	i.OwnerUID = -1
	if owner, err := h.Owner(); err == nil {
		defer owner.Close()
		i.Owner = owner.ID()
		asked := owner
		if i.Type == User {
			asked = h
		}
		if uid, err := asked.OwnerUID(); err == nil {
			i.OwnerUID = uid
		}
		if !c.introduce(owner, i.ID, yield) {
			return false
		}
	} else if i.Type == User {
		if uid, err := h.OwnerUID(); err == nil {
			i.OwnerUID = uid
		}
	}
	switch i.Type {
	case User:
		i.Parent = i.Owner
	case PID:
		if parent, err := h.Parent(); err == nil {
			defer parent.Close()
			i.Parent = parent.ID()
			if !c.introduce(parent, i.ID, yield) {
				return false
			}
		}
	}
	if len(i.PIDs) > 0 {
		i.Command = command(i.PIDs[0])
	}
	return yield(*i, nil)
}

// introduce yields the namespace h, which of keeps alive, unless it has been found already.
func (c *census) introduce(h *Handle, of ID, yield func(Info, error) bool) bool {
	if c.found[h.id.Ino] != nil {
		return true
	}
	i := c.entry(h.id.Ino, h.typ)
	i.Keepers = append(i.Keepers, Keeper{Kind: KeptByNamespace, Of: of})
	return c.yieldOpen(i, h, yield)
}

func (c *census) inodes() []uint64 {
	inodes := make([]uint64, 0, len(c.found))
	for ino := range c.found {
		inodes = append(inodes, ino)
	}
	slices.Sort(inodes)
	return inodes
}

// command returns the command line of a process, or the name of one that has none, proc_pid_cmdline(5).
func command(pid int) string {
	proc := "/proc/" + strconv.Itoa(pid)
	line, err := os.ReadFile(proc + "/cmdline")
	if err == nil && len(line) == 0 {
		line, err = os.ReadFile(proc + "/comm")
	}
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
}

// stolenSocketNetns opens the network namespace of a socket of another process, pidfd_getfd(2).
func stolenSocketNetns(pid, fd int) (int, error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(pidfd)
	s, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return -1, err
	}
	ns, err := socketNetns(s)
	return ns, errors.Join(err, unix.Close(s))
}
