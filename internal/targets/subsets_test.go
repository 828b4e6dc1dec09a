// SPDX-License-Identifier: Apache-2.0

//go:build linux

package targets_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// whereabouts are the namespaces and ids of a process.
type whereabouts struct {
	NS       map[string]ns.ID
	UID, GID int
}

// pidfdRequests are the ioctls that open a process's namespaces by its pidfd, since Linux 6.11.
var pidfdRequests = map[ns.Type]uint{
	ns.Mount:  unix.PIDFD_GET_MNT_NAMESPACE,
	ns.UTS:    unix.PIDFD_GET_UTS_NAMESPACE,
	ns.IPC:    unix.PIDFD_GET_IPC_NAMESPACE,
	ns.Net:    unix.PIDFD_GET_NET_NAMESPACE,
	ns.PID:    unix.PIDFD_GET_PID_NAMESPACE,
	ns.User:   unix.PIDFD_GET_USER_NAMESPACE,
	ns.Cgroup: unix.PIDFD_GET_CGROUP_NAMESPACE,
	ns.Time:   unix.PIDFD_GET_TIME_NAMESPACE,
}

// locate finds its own process's whereabouts without /proc, which in a foreign mount namespace belongs to
// another pid namespace.
func locate() (w whereabouts, err error) {
	pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return w, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(pidfd)
	w = whereabouts{NS: map[string]ns.ID{}, UID: os.Getuid(), GID: os.Getgid()}
	for t, request := range pidfdRequests {
		fd, err := unix.IoctlRetInt(pidfd, request)
		if err != nil {
			return w, fmt.Errorf("open %v: %w", t, err)
		}
		var stat unix.Stat_t
		err = unix.Fstat(fd, &stat)
		unix.Close(fd)
		if err != nil {
			return w, fmt.Errorf("stat %v: %w", t, err)
		}
		w.NS[t.String()] = ns.ID{Dev: stat.Dev, Ino: stat.Ino}
	}
	return w, nil
}

var locateThere = reexec.Register("locate", func(context.Context, struct{}) (whereabouts, error) { return locate() })

// locateVariable makes a copy of the test binary print its whereabouts: it is the program that nsenter starts.
const locateVariable = "AIRLOCK_TEST_LOCATE"

func printWhereabouts() {
	w, err := locate()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(w)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		unix.Exit(1)
	}
	// Not os.Exit: a race detector that cannot read GORACE, which it looks for in /proc, sleeps a second there.
	unix.Exit(0)
}

// nsenterOptions are nsenter's names for the types.
var nsenterOptions = map[ns.Type]string{
	ns.Mount: "-m", ns.UTS: "-u", ns.IPC: "-i", ns.Net: "-n", ns.PID: "-p", ns.User: "-U", ns.Cgroup: "-C", ns.Time: "-T",
}

func locateByNsenter(t *testing.T, pid int, types ns.Type) (w whereabouts, err error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	args := []string{"-t", strconv.Itoa(pid)}
	for typ := range types.Each() {
		args = append(args, nsenterOptions[typ])
	}
	if types.Has(ns.User) && os.Geteuid() != 0 {
		args = append(args, "--preserve-credentials") // nsenter insists on setgroups, which is denied
	}
	cmd := exec.CommandContext(t.Context(), "nsenter", append(args, self)...)
	cmd.Env = append(os.Environ(), locateVariable+"=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return w, fmt.Errorf("%w: %s", err, &stderr)
	}
	require.NoError(t, err)
	return w, json.Unmarshal(out, &w)
}

func locateByUs(t *testing.T, pid int, types ns.Type) (w whereabouts, err error) {
	t.Helper()
	target, err := launcher.PID(pid, types)
	require.NoError(t, err)
	defer target.Close()
	return locateThere.Call(t.Context(), reexec.In(target), struct{}{})
}

// TestPromise25EverySubset joins each of the sets of types that target and caller do not share. Wherever nsenter gets
// in, so do we, with the same outcome. Where it is refused, we are, or get in completely: setns(2) by pidfd joins
// a user namespace and those that its parent owns in one step, while nsenter's second step lacks the privilege.
func TestPromise25EverySubset(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Program("nsenter"), fixture.Kernel(6, 11))
	seven := fixture.Spec{Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true, Time: true}
	eight := seven
	eight.User = true
	mixed := seven
	mixed.Child = &fixture.Spec{User: true}
	for name, s := range map[string]fixture.Spec{
		"owned by the caller's user namespace": seven, // an ordinary user's targets always have their own
		"owned by the target's":                eight,
		"owned by its parent":                  mixed,
	} {
		t.Run(name, func(t *testing.T) {
			target := fixture.New(t, s)
			if target.Child != nil {
				target = target.Child
			}
			all, err := launcher.PID(target.PID, ns.All)
			require.NoError(t, err)
			differ := all.Types()
			require.NoError(t, all.Close())
			here, there := namespacesOf(t, os.Getpid()), namespacesOf(t, target.PID)

			joined, refused, beyond, number := 0, 0, 0, 0
			for types := range subsets(differ) {
				if number++; number%oneOf != 0 {
					continue
				}
				want, nsenterErr := locateByNsenter(t, target.PID, types)
				got, err := locateByUs(t, target.PID, types)
				switch {
				case nsenterErr == nil:
					require.NoError(t, err, "%v", types)
					require.Equal(t, want, got, "%v", types)
					joined++
				case err != nil:
					require.ErrorIs(t, err, unix.EPERM, "%v: nsenter says %v", types, nsenterErr)
					require.True(t, names(err.Error(), types), "%v: %v", types, err)
					refused++
					continue
				default:
					beyond++
				}
				for typ := range ns.All.Each() {
					at := here
					if types.Has(typ) {
						at = there
					}
					require.Equal(t, at[typ.String()], got.NS[typ.String()], "%v: %v", types, typ)
				}
			}
			t.Logf("of %v: %d sets joined, %d refused, %d joined where nsenter is refused", differ, joined, refused, beyond)
			require.NotZero(t, joined)
		})
	}
}

// names tells whether the text names one of the types.
func names(text string, types ns.Type) bool {
	for typ := range types.Each() {
		if strings.Contains(text, typ.String()) {
			return true
		}
	}
	return false
}

// namespacesOf reads a process's namespaces from /proc.
func namespacesOf(t *testing.T, pid int) map[string]ns.ID {
	t.Helper()
	ids := map[string]ns.ID{}
	for typ := range ns.All.Each() {
		var stat unix.Stat_t
		require.NoError(t, unix.Stat(fmt.Sprintf("/proc/%d/ns/%v", pid, typ), &stat))
		ids[typ.String()] = ns.ID{Dev: stat.Dev, Ino: stat.Ino}
	}
	return ids
}

// subsets are the sets of one type or more that all contains.
func subsets(all ns.Type) func(func(ns.Type) bool) {
	return func(yield func(ns.Type) bool) {
		for set := all; set != 0; set = (set - 1) & all {
			if !yield(set) {
				return
			}
		}
	}
}
