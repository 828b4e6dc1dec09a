// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Rootless makes a user namespace as an ordinary user, calls a Go function that is root in there, and prints what root may do
// inside, and whose its file is outside.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// sight is what root sees inside.
type sight struct {
	UID          int
	Map          string // of the uids: first inside, first outside, how many
	Give, Rename string // what came of the attempt
}

var act = reexec.Register("act", func(_ context.Context, path string) (sight, error) {
	uids, err := os.ReadFile("/proc/self/uid_map")
	s := sight{UID: os.Getuid(), Map: string(uids)}
	s.Give = outcome(syscall.Chown(path, 1, 1))                 // EINVAL: the id is not in the map, so inside it does not exist
	s.Rename = outcome(syscall.Sethostname([]byte("rootless"))) // EPERM: root of what the new user namespace owns, and of nothing else
	return s, err
})

func outcome(err error) string {
	if err != nil {
		return err.Error()
	}
	return "done"
}

func main() {
	reexec.Init()
	single := flag.Bool("single", false, "map one's own id only, which takes neither newuidmap(1) nor /etc/subuid")
	flag.Parse()
	if err := rootless(context.Background(), *single); err != nil {
		fmt.Fprintln(os.Stderr, "rootless:", err)
		os.Exit(1)
	}
}

func rootless(ctx context.Context, single bool) error {
	spec := ns.Spec{Types: ns.User} // no maps: one's own uid and gid become 0
	if !single {
		spec.UIDMap, spec.GIDMap = idMap("/etc/subuid", os.Getuid()), idMap("/etc/subgid", os.Getgid())
	}
	// The steps that a copy of this program takes before its Go runtime starts.
	inside := cnsenter.Plan{cnsenter.Unshare(spec), cnsenter.DropGroups()}

	dir, err := os.MkdirTemp("", "rootless-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return err
	}
	s, err := act.Call(ctx, reexec.In(inside), file)
	if err != nil {
		return err
	}
	var st syscall.Stat_t
	err = syscall.Stat(file, &st)
	fmt.Printf("uid %d is uid %d inside:\n   inside    outside      count\n%s", os.Getuid(), s.UID, s.Map)
	fmt.Printf("give the file to uid 1: %s; outside its owner is %d\nrename the machine: %s\n", s.Give, st.Uid, s.Rename)
	return err
}
