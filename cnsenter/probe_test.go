// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/cnsenter/internal/anearly"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// probeVariable makes a copy of the test binary a probe; its value says what the probe does.
const probeVariable = "CNSENTER_TEST_PROBE"

func TestMain(m *testing.M) {
	if what := os.Getenv(probeVariable); what != "" {
		os.Exit(probe(what))
	}
	fixture.Main(m)
}

// sight is what a probe sees around it.
type sight struct {
	PID, UID, GID int
	Groups        []int
	Hostname      string
	Cwd           string
	Namespaces    map[string]string
	Descriptors   []string
	Processes     []string
	File          string // contents of /mnt/planted
	Env           []string
	Dumpable      int
	NoNewPrivs    int
	Alarm         bool              // still set
	Status        map[string]string // fields of /proc/self/status
	Cgroup        string
	UIDMap        string
	Monotonic     time.Duration
	Session       int
	Auxv          int    // entries
	EarlyRoot     bool   // was the root directory at initialisation
	Image         string // what /proc/self/exe leads to
	ImageMode     uint32
	ImageSeals    int
	Label         string // the security module's
}

func probe(what string) int {
	what, arg, _ := strings.Cut(what, " ")
	switch what {
	case "exit":
		code, _ := strconv.Atoi(arg)
		return code
	case "kill":
		number, _ := strconv.Atoi(arg)
		signal.Reset(syscall.Signal(number))
		unix.Kill(os.Getpid(), syscall.Signal(number))
		select {}
	case "signals": // says which one came
		got := make(chan os.Signal, 1)
		signal.Notify(got, syscall.SIGTERM, syscall.SIGUSR1)
		os.Stdout.WriteString("ready\n")
		os.Stdout.WriteString((<-got).String() + "\n")
		return 0
	case "relay": // starts a probe that stays, behind a relay inside the target, and says who that is
		return parent(arg, everyType, cnsenter.Fork())
	case "dies": // the same without a relay
		return parent(arg, ns.User|ns.Mount|ns.Net, cnsenter.SetUID(0), cnsenter.DieWithCaller())
	case "stay":
		os.Stdout.WriteString("ready\n")
		select {}
	}
	json.NewEncoder(os.Stdout).Encode(look())
	return 0
}

func parent(pid string, types ns.Type, steps ...cnsenter.Step) int {
	runtime.LockOSThread()
	number, _ := strconv.Atoi(pid)
	fd, err := unix.PidfdOpen(number, 0)
	if err != nil {
		panic(err)
	}
	cmd, _ := command("stay")
	cmd.Stdout = nil
	plan := append(cnsenter.Plan{cnsenter.Join(os.NewFile(uintptr(fd), "pid "+pid), types)}, steps...)
	if err := plan.Start(cmd); err != nil {
		panic(err)
	}
	fmt.Println(cmd.Process.Pid)
	select {}
}

func look() sight {
	s := sight{
		PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Namespaces: map[string]string{}, Env: os.Environ(),
	}
	s.Groups, _ = os.Getgroups()
	s.Hostname, _ = os.Hostname()
	s.Cwd, _ = unixGetwd()
	s.Session, _ = unix.Getsid(0)
	for t := range ns.All.Each() {
		if h, err := ns.Current(t); err == nil {
			s.Namespaces[t.String()] = h.String()
			h.Close()
		}
	}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		link, _ := os.Readlink("/proc/self/fd/" + e.Name())
		s.Descriptors = append(s.Descriptors, e.Name()+" "+link)
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		s.Processes = append(s.Processes, filepath.Base(p))
	}
	file, _ := os.ReadFile("/mnt/planted")
	s.File = string(file)
	s.Dumpable, _ = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	s.NoNewPrivs, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	root, _ := os.Stat("/")
	s.EarlyRoot = os.SameFile(root, anearly.Root)
	auxv, _ := unix.Auxv()
	s.Auxv = len(auxv)
	timer, _ := unix.Getitimer(unix.ITIMER_REAL)
	s.Alarm = timer.Value.Sec != 0
	status := procSelf("status")
	s.Status = map[string]string{}
	for line := range strings.SplitSeq(status, "\n") {
		name, value, _ := strings.Cut(line, ":")
		s.Status[name] = strings.TrimSpace(value)
	}
	s.Cgroup = procSelf("cgroup")
	s.Label = procSelf("attr/current")
	s.UIDMap = strings.Join(strings.Fields(procSelf("uid_map")), " ")
	s.Image, _ = os.Readlink("/proc/self/exe")
	if fd, err := unix.Open("/proc/self/exe", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		var stat unix.Stat_t
		unix.Fstat(fd, &stat)
		s.ImageMode = stat.Mode &^ unix.S_IFMT
		s.ImageSeals, _ = unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
		unix.Close(fd)
	}
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	s.Monotonic = time.Duration(now.Nano())
	return s
}

// procSelf reads a file of /proc/self, if that is what it seems to be: a target may have put FIFOs there.
func procSelf(name string) string {
	var fs unix.Statfs_t
	if unix.Statfs("/proc", &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return ""
	}
	b, _ := os.ReadFile("/proc/self/" + name)
	return string(b)
}

// unixGetwd asks the kernel; os.Getwd believes $PWD.
func unixGetwd() (string, error) {
	var buf [unix.PathMax]byte
	n, err := unix.Getcwd(buf[:])
	return string(bytes.TrimRight(buf[:n], "\x00")), err
}

// command returns a probe that is not started.
func command(what string) (*exec.Cmd, *bytes.Buffer) {
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeVariable+"="+what, "GORACE=atexit_sleep_ms=0")
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	return cmd, &out
}

// run starts a probe by the plan and returns what it saw.
func run(t *testing.T, plan cnsenter.Plan) sight {
	t.Helper()
	cmd, out := command("look")
	require.NoError(t, plan.Start(cmd))
	require.NoError(t, cmd.Wait())
	var s sight
	require.NoError(t, json.Unmarshal(out.Bytes(), &s), out.String())
	return s
}

// open opens the namespaces of a target for the plan.
func open(t *testing.T, target *fixture.Target, types ns.Type) cnsenter.Plan {
	t.Helper()
	var plan cnsenter.Plan
	for typ := range types.Each() {
		h, err := ns.OpenPID(target.PID, typ)
		require.NoError(t, err)
		t.Cleanup(func() { h.Close() })
		plan = append(plan, cnsenter.Join(h.File(), typ))
	}
	return plan
}

func pidfd(t *testing.T, pid int) *os.File {
	t.Helper()
	fixture.Need(t, fixture.Pidfd)
	fd, err := unix.PidfdOpen(pid, 0)
	require.NoError(t, err)
	f := os.NewFile(uintptr(fd), "pid "+strconv.Itoa(pid))
	t.Cleanup(func() { f.Close() })
	return f
}
