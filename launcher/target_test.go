// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package launcher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// probeVariable makes a copy of the test binary print what it sees.
const probeVariable = "LAUNCHER_TEST_PROBE"

func TestMain(m *testing.M) {
	switch os.Getenv(probeVariable) {
	case "":
		fixture.Main(m)
	case "move":
		move()
	case "stranger":
		json.NewEncoder(os.Stdout).Encode(stranger())
	case "check":
		json.NewEncoder(os.Stdout).Encode(check())
	default:
		json.NewEncoder(os.Stdout).Encode(look())
	}
	os.Exit(0)
}

// move is a process that gets itself a new UTS namespace when it is told.
func move() {
	runtime.LockOSThread() // package initialisation and TestMain run on the main thread, which stands for the process
	os.Stdout.WriteString("1")
	os.Stdin.Read(make([]byte, 1))
	if err := unix.Unshare(unix.CLONE_NEWUTS); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("2")
	io.Copy(io.Discard, os.Stdin)
}

// stranger is the first process of a PID namespace whose /proc is that of another one. It finds out what a child of its own has.
func stranger() string {
	child := exec.Command("sleep", "1000")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUTS}
	if err := child.Start(); err != nil {
		return err.Error()
	}
	defer child.Wait()
	defer child.Process.Kill()
	target, err := launcher.PID(child.Process.Pid, ns.UTS|ns.IPC)
	if err != nil {
		return err.Error()
	}
	defer target.Close()
	return target.Types().String()
}

type sight struct {
	PID, UID, GID int
	Namespaces    map[string]string
}

func look() sight {
	s := sight{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Namespaces: map[string]string{}}
	for t := range ns.All.Each() {
		if h, err := ns.Current(t); err == nil {
			s.Namespaces[t.String()] = h.String()
			h.Close()
		}
	}
	return s
}

func run(t *testing.T, target *launcher.Target) sight {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeVariable+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, target.Start(cmd))
	var s sight
	require.NoError(t, json.NewDecoder(out).Decode(&s))
	require.NoError(t, cmd.Wait())
	return s
}

// requireIn asks that the probe was in the target's namespaces of these types, and in ours of all others.
func requireIn(t *testing.T, s sight, target *fixture.Target, types ns.Type) {
	t.Helper()
	for typ := range ns.All.Each() {
		path := filepath.Join("/proc/self/ns", typ.String())
		if types.Has(typ) {
			path = target.NS(typ.String())
		}
		link, err := os.Readlink(path)
		require.NoError(t, err)
		require.Equal(t, link, s.Namespaces[typ.String()])
	}
}

func TestPID(t *testing.T) {
	for name, c := range map[string]struct {
		spec        fixture.Spec
		asked, have ns.Type
	}{
		"what is ours is left out": {fixture.Spec{User: true, UTS: true, Net: true}, ns.All, ns.User | ns.UTS | ns.Net},
		"what is not asked for":    {fixture.Spec{User: true, UTS: true, Net: true}, ns.User | ns.Net, ns.User | ns.Net},
		"all that there is": {
			fixture.Spec{User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true, Time: true}, ns.All, ns.All,
		},
	} {
		t.Run(name, func(t *testing.T) {
			made := fixture.New(t, c.spec)
			target, err := launcher.PID(made.PID, c.asked)
			require.NoError(t, err)
			defer target.Close()
			require.Equal(t, c.have, target.Types())
			s := run(t, target)
			requireIn(t, s, made, c.have)
			require.Zero(t, s.UID)
			require.Zero(t, s.GID)
		})
	}
}

func TestPIDOwnedByTheInitialUserNamespace(t *testing.T) {
	fixture.Need(t, fixture.Root)
	made := fixture.New(t, fixture.Spec{Mount: true, PID: true, Net: true, UTS: true, IPC: true})
	target, err := launcher.PID(made.PID, ns.All)
	require.NoError(t, err)
	defer target.Close()
	requireIn(t, run(t, target), made, ns.Mount|ns.PID|ns.Net|ns.UTS|ns.IPC)
}

// What is left out is what the thread that starts is in, whatever the one was in that made the Target, and whatever the process was in then.
func TestTargetOfAVisit(t *testing.T) {
	fixture.Need(t, fixture.Root)
	made := fixture.New(t, fixture.Spec{UTS: true, Net: true})
	uts, err := ns.OpenPID(made.PID, ns.UTS)
	require.NoError(t, err)
	defer uts.Close()

	there, err := ns.Call(func() (*launcher.Target, error) { return launcher.PID(made.PID, ns.All) }, uts)
	require.NoError(t, err)
	defer there.Close()
	requireIn(t, run(t, there), made, ns.UTS|ns.Net) // started out here

	ours, err := launcher.PID(os.Getpid(), ns.All)
	require.NoError(t, err)
	defer ours.Close()
	require.Zero(t, ours.Types())
	require.NoError(t, ns.Do(func() error {
		require.Equal(t, ns.UTS, ours.Types())
		requireIn(t, run(t, ours), made, 0) // started in there
		return nil
	}, uts))
}

func TestTargetThatMovesOn(t *testing.T) {
	fixture.Need(t, fixture.Root)
	mover := exec.Command("/proc/self/exe")
	mover.Env = append(os.Environ(), probeVariable+"=move")
	line, err := mover.StdinPipe()
	require.NoError(t, err)
	said, err := mover.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, mover.Start())
	defer func() {
		line.Close()
		require.NoError(t, mover.Wait())
	}()
	_, err = said.Read(make([]byte, 1)) // it is there
	require.NoError(t, err)
	target, err := launcher.PID(mover.Process.Pid, ns.All)
	require.NoError(t, err)
	defer target.Close()
	require.Zero(t, target.Types())
	_, err = line.Write([]byte("\n"))
	require.NoError(t, err)
	_, err = said.Read(make([]byte, 1)) // it has moved
	require.NoError(t, err)
	require.Equal(t, ns.UTS, target.Types())
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/uts", mover.Process.Pid))
	require.NoError(t, err)
	require.Equal(t, link, run(t, target).Namespaces["uts"])
}

// The number of a process is another's in the /proc of another PID namespace.
func TestPIDWithTheProcOfAnotherPIDNamespace(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeVariable+"=stranger", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWPID,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, "\"uts\"\n", string(out))
}

func TestOwnNamespacesAreAPlainStart(t *testing.T) {
	target, err := launcher.PID(os.Getpid(), ns.All)
	require.NoError(t, err)
	defer target.Close()
	require.Zero(t, target.Types())
	plan, err := target.Plan()
	require.NoError(t, err)
	require.Empty(t, plan)
	requireIn(t, run(t, target), nil, 0)
}

func TestPreserveCredentials(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true})
	target, err := launcher.PID(made.PID, ns.User)
	require.NoError(t, err)
	defer target.Close()
	target.PreserveCredentials = true
	plan, err := target.Plan()
	require.NoError(t, err)
	require.Len(t, plan, 1)
	requireIn(t, run(t, target), made, ns.User)
}

func TestHandles(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, Net: true, UTS: true})
	const types = ns.User | ns.Mount | ns.PID | ns.Net | ns.UTS
	var handles []*ns.Handle
	for typ := range (types | ns.IPC).Each() { // ipc is ours
		h, err := ns.OpenPID(made.PID, typ)
		require.NoError(t, err)
		defer h.Close()
		handles = append(handles, h)
	}
	requireIn(t, run(t, launcher.Handles(handles...)), made, types)

	_, err := launcher.Handles(handles[1], handles[1]).Plan()
	require.ErrorContains(t, err, "a second namespace of type mnt")
	handles[1].Close()
	require.ErrorIs(t, launcher.Handles(handles...).Start(exec.Command("/proc/self/exe")), os.ErrClosed)
	require.ErrorIs(t, launcher.Handles(&ns.Handle{}).Start(exec.Command("/proc/self/exe")), os.ErrClosed)
}

func TestParse(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, UTS: true})
	byPID, err := launcher.Parse(t.Context(), strconv.Itoa(made.PID), ns.All)
	require.NoError(t, err)
	defer byPID.Close()
	requireIn(t, run(t, byPID), made, ns.User|ns.UTS)

	byPath, err := launcher.Parse(t.Context(), made.NS("user"), ns.All)
	require.NoError(t, err)
	defer byPath.Close()
	requireIn(t, run(t, byPath), made, ns.User)
	require.NoError(t, byPath.Close())
	require.NoError(t, byPath.Close())
}

func TestBadTargets(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	exited := exec.Command("/bin/true")
	require.NoError(t, exited.Start())
	waitZombie(t, exited.Process.Pid)
	defer exited.Wait()

	for ref, c := range map[string]struct {
		is   error
		says string
	}{
		"4194305":                        {nil, "launcher: open pid 4194305"}, // above the kernel's limit, PID_MAX_LIMIT
		"0":                              {unix.EINVAL, "launcher: open pid 0"},
		"-1":                             {unix.EINVAL, "launcher: open pid -1"},
		strconv.Itoa(exited.Process.Pid): {unix.ESRCH, "launcher: open pid"},
		"web":                            {nil, `launcher: parse "web": neither a pid nor a path`},
		"":                               {nil, `launcher: parse ""`},
		"/no/such":                       {os.ErrNotExist, "launcher: parse /no/such"},
		"/proc/self/status":              {ns.ErrNotNamespace, "/proc/self/status"},
		fifo:                             {ns.ErrNotNamespace, fifo},
		"/dev/zero":                      {ns.ErrNotNamespace, "/dev/zero"},
		"/":                              {ns.ErrNotNamespace, "/"},
		"/proc/self/ns/uts":              {nil, "launcher: parse /proc/self/ns/uts: a namespace of type uts, not net"},
	} {
		t.Run(ref, func(t *testing.T) {
			_, err := launcher.Parse(context.Background(), ref, ns.Net)
			var e *launcher.Error
			require.ErrorAs(t, err, &e)
			require.ErrorContains(t, err, c.says)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
	_, err := launcher.PID(os.Getpid(), 0)
	require.ErrorIs(t, err, os.ErrInvalid)
}

func waitZombie(t *testing.T, pid int) {
	t.Helper()
	var info unix.Siginfo
	require.NoError(t, unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil))
}

func TestTargetThatEnds(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, UTS: true})
	target, err := launcher.PID(made.PID, ns.All)
	require.NoError(t, err)
	defer target.Close()
	require.NoError(t, made.Close())
	var e *launcher.Error
	require.ErrorAs(t, target.Start(exec.Command("/proc/self/exe")), &e)
	require.ErrorIs(t, e, unix.ESRCH)
	require.Zero(t, target.Types())
}

// A Target that is closed holds no process: what has its number now must not decide.
func TestTargetThatIsClosed(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, UTS: true})
	for _, pid := range []int{made.PID, os.Getpid()} {
		target, err := launcher.PID(pid, ns.All)
		require.NoError(t, err)
		require.NoError(t, target.Close())
		require.ErrorIs(t, target.Start(exec.Command("/proc/self/exe")), os.ErrClosed)
		_, err = target.Plan()
		require.ErrorIs(t, err, os.ErrClosed)
		require.Zero(t, target.Types())
	}
}

func TestMissingPrivilege(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	// What a user namespace's own root may not: enter a namespace that belongs to our user namespace.
	made := fixture.New(t, fixture.Spec{User: true})
	user, err := ns.OpenPID(made.PID, ns.User)
	require.NoError(t, err)
	defer user.Close()
	plan, err := launcher.Handles(user).Plan()
	require.NoError(t, err)
	net, err := ns.Current(ns.Net)
	require.NoError(t, err)
	defer net.Close()
	err = append(plan, cnsenter.Join(net.File(), ns.Net)).Start(exec.Command("/proc/self/exe"))
	require.ErrorIs(t, err, unix.EPERM)
	require.ErrorContains(t, err, "join net of")
}
