// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// estate is what a process has that it could have inherited: the table in the documentation of package launcher.
type estate struct {
	Status       map[string]string // of /proc/self/status
	UID, GID     int
	Groups       []int
	Umask        int
	Core, Memory uint64 // soft limits
	OOM          string // oom_score_adj
	Session, ID  int
	Cwd          string
	Root         bool // is that of the mount namespace
	Dumpable     int
	Terminal     bool // there is a controlling one
}

var takeStock = reexec.Register("take stock", func(context.Context, struct{}) (estate, error) { return stock(), nil })

func stock() (e estate) {
	e.Status = map[string]string{}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		e.Status[name] = strings.Join(strings.Fields(value), " ")
	}
	e.UID, e.GID, e.ID = os.Getuid(), os.Getgid(), os.Getpid()
	e.Groups, _ = os.Getgroups()
	e.Umask = unix.Umask(0)
	unix.Umask(e.Umask)
	var limit unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_CORE, &limit)
	e.Core = limit.Cur
	unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit)
	e.Memory = limit.Cur
	oom, _ := os.ReadFile("/proc/self/oom_score_adj")
	e.OOM = strings.TrimSpace(string(oom))
	e.Session, _ = unix.Getsid(0)
	e.Cwd, _ = getcwd()
	here, _ := os.Stat("/")
	first, err := os.Stat("/proc/1/root/")
	e.Root = err == nil && os.SameFile(here, first)
	e.Dumpable, _ = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	terminal, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if e.Terminal = err == nil; e.Terminal {
		unix.Close(terminal)
	}
	return e
}

// getcwd asks the kernel; os.Getwd believes $PWD.
func getcwd() (string, error) {
	var b [unix.PathMax]byte
	n, err := unix.Getcwd(b[:])
	return strings.TrimRight(string(b[:max(n, 0)]), "\x00"), err
}

func init() {
	// testator is a caller with all kinds of peculiarities. It prints its own estate and that of a worker.
	roles["testator"] = func(pid string) int {
		number, _ := strconv.Atoi(pid)
		err := errors.Join(
			unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 4096, Max: 4096}),
			unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 8192, Max: 8192}),
			os.WriteFile("/proc/self/oom_score_adj", []byte("123"), 0),
			os.Chdir("/usr"),
		)
		unix.Umask(0o027)
		signal.Ignore(syscall.SIGHUP, syscall.SIGCHLD, syscall.SIGPIPE)
		var mine, theirs estate
		if err == nil {
			mine = stock()
			signal.Reset(syscall.SIGCHLD) // ignored, nobody could wait for the worker, wait(2)
			var target *launcher.Target
			if target, err = launcher.PID(number, ns.All); err == nil {
				theirs, err = takeStock.Call(context.Background(), reexec.In(target), struct{}{})
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		json.NewEncoder(os.Stdout).Encode([]estate{mine, theirs})
		return 0
	}
}

func TestPromise22NothingIsLeftOver(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, spec := range map[string]fixture.Spec{
		"its own user namespace": {User: true, Mount: true, PID: true},
		"our user namespace":     {Mount: true, PID: true},
	} {
		t.Run(name, func(t *testing.T) {
			if !spec.User {
				fixture.Need(t, fixture.Root)
			}
			target := fixture.New(t, spec)
			out, err := inRole("testator", strconv.Itoa(target.PID)).Output()
			require.NoError(t, err)
			var both []estate
			require.NoError(t, json.Unmarshal(out, &both))
			mine, got := both[0], both[1]

			if spec.User {
				require.Zero(t, got.UID)
				require.Zero(t, got.GID)
				if setgroups, _ := os.ReadFile(fmt.Sprintf("/proc/%d/setgroups", target.PID)); string(setgroups) == "allow\n" {
					require.Empty(t, got.Groups)
				}
				require.Equal(t, "0000000000000000", got.Status["CapInh"])
				require.Equal(t, got.Status["CapBnd"], got.Status["CapPrm"])
			} else {
				require.Equal(t, mine.UID, got.UID)
				require.Equal(t, mine.GID, got.GID)
				require.Equal(t, mine.Groups, got.Groups)
				for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd"} {
					require.Equal(t, mine.Status[set], got.Status[set], set)
				}
			}
			require.Equal(t, got.Status["CapPrm"], got.Status["CapEff"])
			require.Equal(t, "0000000000000000", got.Status["CapAmb"])
			require.Equal(t, mine.Status["NoNewPrivs"], got.Status["NoNewPrivs"])
			require.Equal(t, "0000000000000000", got.Status["SigBlk"])
			ignored := signals(t, mine.Status["SigIgn"]) // those that a shell starts in the background ignore more than ours
			require.NotZero(t, ignored&(1<<(syscall.SIGHUP-1)))
			require.NotZero(t, ignored&(1<<(syscall.SIGCHLD-1)))
			ignored &^= 1<<(syscall.SIGCHLD-1) | 1<<(syscall.SIGPIPE-1)
			require.Equal(t, ignored, signals(t, got.Status["SigIgn"]))
			require.Equal(t, []any{mine.Umask, mine.Core, mine.Memory, mine.OOM}, []any{got.Umask, got.Core, got.Memory, got.OOM})
			require.Equal(t, "/", got.Cwd)
			require.True(t, got.Root)
			require.Zero(t, got.Dumpable)
			if mine.Terminal {
				require.Equal(t, got.ID, got.Session)
			} else {
				require.Zero(t, got.Session, "one that the PID namespace does not show")
			}
			require.False(t, got.Terminal)
		})
	}
}

// signals reads a set of them, as in proc_pid_status(5).
func signals(t *testing.T, mask string) uint64 {
	t.Helper()
	set, err := strconv.ParseUint(mask, 16, 64)
	require.NoError(t, err)
	return set
}

func init() {
	// stray calls from a working directory that is gone, or lies outside of what the worker sees.
	roles["stray"] = func(argument string) int {
		dir, pid, _ := strings.Cut(argument, " ")
		number, _ := strconv.Atoi(pid)
		err := os.Chdir(dir)
		if err == nil && strings.Contains(dir, "gone") {
			err = os.Remove(dir)
		}
		var target *launcher.Target
		if err == nil {
			target, err = launcher.PID(number, ns.All)
		}
		var e estate
		if err == nil {
			e, err = takeStock.Call(context.Background(), reexec.In(target), struct{}{})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Print(e.Cwd)
		return 0
	}
}

func TestPromise23WorkingDirectoryIsInside(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	for name, spec := range map[string]fixture.Spec{
		"same files":  {User: true, Mount: true, PID: true},
		"other files": {User: true, Mount: true, PID: true, Root: true},
	} {
		target := fixture.New(t, spec)
		gone := filepath.Join(t.TempDir(), "gone")
		require.NoError(t, os.Mkdir(gone, 0o700))
		for _, dir := range []string{"/", "/usr", "/mnt", gone} {
			t.Run(name+dir, func(t *testing.T) {
				out, err := inRole("stray", dir+" "+strconv.Itoa(target.PID)).Output()
				require.NoError(t, err)
				require.Equal(t, "/", string(out))
			})
		}
	}
}

// A directory of ours that the target's root does not hold is refused: from there the way up would lead to our root, CVE-2024-21626.
func TestPromise23DirectoryOutsideIsRefused(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := enter(t, fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, Root: true}))
	outside, err := os.Open("/usr")
	require.NoError(t, err)
	defer outside.Close()
	join, err := target.Plan()
	require.NoError(t, err)
	before := append(append(cnsenter.Plan{join[0]}, cnsenter.FChdir(outside)), join[1:]...)
	_, err = hostname.Call(t.Context(), reexec.In(before), struct{}{})
	var e *cnsenter.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, cnsenter.OpChdir, e.Op)
	require.Equal(t, "/usr", e.Path)
	require.ErrorIs(t, err, syscall.ENOENT)
}
