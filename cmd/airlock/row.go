// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/airlock-ns/airlock/ns"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"
)

// row is a namespace as ls shows it. The json names are part of the interface.
type row struct {
	ID        uint64   `json:"id"` // inode
	Type      ns.Type  `json:"type"`
	Path      string   `json:"path,omitempty"` // by which it can be opened
	Processes int      `json:"processes"`
	PID       int      `json:"pid,omitempty"` // the lowest
	Command   string   `json:"command,omitempty"`
	UID       *int     `json:"uid,omitempty"` // of the process
	User      string   `json:"user,omitempty"`
	Owner     uint64   `json:"owner,omitempty"`
	Parent    uint64   `json:"parent,omitempty"`
	OwnerUID  *int     `json:"owner_uid,omitempty"`
	Container string   `json:"container,omitempty"`
	Keepers   []keeper `json:"keepers,omitempty"`

	pids []int
}

// keeper is what keeps a namespace alive besides processes.
type keeper struct {
	Kind ns.KeeperKind `json:"kind"`
	PID  int           `json:"pid,omitempty"`
	TID  int           `json:"tid,omitempty"`
	FD   *int          `json:"fd,omitempty"`
	Path string        `json:"path,omitempty"`
	Of   uint64        `json:"of,omitempty"`
}

func newRow(i ns.Info, users users) *row {
	r := &row{
		ID: i.ID.Ino, Type: i.Type, Processes: len(i.PIDs), Command: i.Command, Owner: i.Owner.Ino, Parent: i.Parent.Ino, pids: i.PIDs,
	}
	if i.OwnerUID >= 0 {
		r.OwnerUID = &i.OwnerUID
	}
	for _, k := range i.Keepers {
		kept := keeper{Kind: k.Kind, PID: k.PID, TID: k.TID, Path: k.Path, Of: k.Of.Ino}
		if k.Kind == ns.KeptByDescriptor || k.Kind == ns.KeptBySocket {
			kept.FD = &k.FD
		}
		r.Keepers = append(r.Keepers, kept)
		if r.Path == "" {
			r.Path = kept.path(i.Type)
		}
	}
	if len(i.PIDs) == 0 {
		return r
	}
	r.PID = i.PIDs[0]
	proc := "/proc/" + strconv.Itoa(r.PID)
	r.Path = proc + "/ns/" + i.Type.String()
	var stat unix.Stat_t
	if unix.Stat(proc, &stat) == nil {
		uid := int(stat.Uid)
		r.UID, r.User = &uid, users.name(uid)
	}
	return r
}

// path is where the namespace can be opened. A socket and another namespace are no paths.
func (k keeper) path(t ns.Type) string {
	proc := "/proc/" + strconv.Itoa(k.PID)
	switch k.Kind {
	case ns.KeptByThread:
		return fmt.Sprintf("%s/task/%d/ns/%v", proc, k.TID, t)
	case ns.KeptByChildren:
		return fmt.Sprintf("%s/ns/%v_for_children", proc, t)
	case ns.KeptByDescriptor:
		return fmt.Sprintf("%s/fd/%d", proc, *k.FD)
	case ns.KeptByMount:
		ours, _ := os.Readlink("/proc/self/ns/mnt")
		if theirs, _ := os.Readlink(proc + "/ns/mnt"); theirs != ours {
			return proc + "/root" + k.Path
		}
		return k.Path
	}
	return ""
}

// describe says for people what keeps a namespace alive that no process is in.
func (k keeper) describe() string {
	switch k.Kind {
	case ns.KeptByMount:
		return "(mounted on " + k.Path + ")"
	case ns.KeptByDescriptor, ns.KeptBySocket:
		return fmt.Sprintf("(%s %d of %d)", k.Kind, *k.FD, k.PID)
	case ns.KeptByThread:
		return fmt.Sprintf("(thread %d of %d)", k.TID, k.PID)
	case ns.KeptByChildren:
		return fmt.Sprintf("(children of %d)", k.PID)
	}
	return fmt.Sprintf("(%s %d)", k.Kind, k.Of)
}

// what is the command of a namespace's first process, or what else keeps it alive.
func (r *row) what() string {
	if r.PID == 0 && len(r.Keepers) > 0 {
		return r.Keepers[0].describe()
	}
	return r.Command
}

func (r *row) nameContainer(names map[int]string) {
	if len(names) == 0 {
		return
	}
	for _, pid := range r.pids {
		if name := names[pid]; name != "" {
			r.Container = name
			return
		}
	}
}

// users are the names of uids that have been looked up, in /etc/passwd: more would take a name service.
type users map[int]string

func (u users) name(uid int) string {
	if len(u) == 0 {
		u[-1] = "" // read once
		if file, err := os.Open("/etc/passwd"); err == nil {
			defer file.Close()
			accounts, _ := user.ParsePasswd(file)
			for _, account := range accounts {
				if u[account.Uid] == "" {
					u[account.Uid] = account.Name
				}
			}
		}
	}
	if name := u[uid]; name != "" {
		return name
	}
	return strconv.Itoa(uid)
}
