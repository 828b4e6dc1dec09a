// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// TestScript runs testdata/script, a script per behaviour. They have these commands besides those of testscript:
//
//	target NAME [namespace|root|hostname=TEXT|file=PATH:TEXT|fifo=PATH]...
//		starts a process in new namespaces; $NAME is its pid. An ordinary user gets a user namespace in any case.
//	engine
//		builds airlock-engine and puts it into $PATH; $engine is its directory.
//	named NAME docker|podman|runc|containerd|cri
//		starts a container; $NAME is what the engine calls it, $NAME_id its id, $NAME_short the start of that, $NAME_pid its pid.
//	container NAME [userns|podman]
//		starts a container by runc or podman; $NAME is the pid of its first process.
//	end NAME
//		ends that target.
//	need root|kernelid|PROGRAM...
//		skips the script without them.
//	status STATUS PROGRAM [ARGUMENT]...
//		runs a program, which ends with that status or by that signal.
//	start NAME PROGRAM [ARGUMENT]...
//		starts a program in the background; $NAME is its pid.
//	signal NAME|$PID SIGNAL
//		sends it a signal.
//	finish NAME STATUS
//		waits for its end; stdout and stderr are what it has printed.
//	await FILE
//		waits until there is text in the file, and sets $text to its first line.
//	state NAME|$PID LETTER
//		waits until the process is in that state, proc_pid_stat(5); "-" stands for having ended, and takes a second at most.
//	fifo FILE
//		makes one.
//	cgroup NAME|$PID
//		moves the process into a new cgroup of every hierarchy that lets us make one.
//	program NAME|$PID COMM
//		waits until the process executes the program of that name.
//	open NAME PROGRAM [ARGUMENT]...
//		starts a program on a terminal of its own, as a terminal window does.
//	shows NAME REGEXP
//		waits until its terminal shows that, after what was waited for before.
//	type NAME TEXT...
//		types lines, or keys like ^C.
//	resize NAME ROWS COLUMNS
//		gives its terminal that size.
//	close NAME
//		takes its terminal away.
//	signals NAME FILE
//		sends it every signal that can be caught, and waits until "probe signals FILE" has got each.
//	mode NAME raw|cooked
//		waits until its terminal is in that mode.
//
// The conditions are root and user, what the tests run as.
func TestScript(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS)
	bin := programs(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Values["stage"] = &stage{t: e.T().(testing.TB), jobs: map[string]*job{}, targets: map[string]*fixture.Target{}}
			e.Setenv("PATH", bin+":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
			e.Setenv("AIRLOCK_FIXTURE_CENSUS", os.Getenv("AIRLOCK_FIXTURE_CENSUS")) // what is left behind is found by it
			e.Setenv("LC_ALL", "C")
			e.Setenv("SELF", strconv.Itoa(os.Getpid()))
			return nil
		},
		Condition: func(condition string) (bool, error) {
			switch condition {
			case "root":
				return fixture.Root.Unmet() == nil, nil
			case "user":
				return fixture.Root.Unmet() != nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", condition)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"target": command((*stage).target), "end": command((*stage).end), "need": command((*stage).need),
			"status": command((*stage).status), "start": command((*stage).start), "signal": command((*stage).signal),
			"finish": command((*stage).finish), "await": command((*stage).await), "state": command((*stage).state),
			"container": command((*stage).container), "named": command((*stage).named),
			"engine": func(ts *testscript.TestScript, _ bool, args []string) { ts.Value("stage").(*stage).engine(ts, args) },
			"fifo":   command((*stage).fifo), "cgroup": command((*stage).cgroup), "program": command((*stage).program),
			"open": command((*stage).open), "shows": command((*stage).shows), "type": command((*stage).keys),
			"resize": command((*stage).resize), "close": command((*stage).closeWindow), "mode": command((*stage).mode), "signals": command((*stage).signals),
		},
	})
}

// patience bounds the wait for what always comes unless something is broken.
const patience = 30 * time.Second

// stage is what a script has set up.
type stage struct {
	t       testing.TB
	targets map[string]*fixture.Target
	jobs    map[string]*job
	daemon  *fixture.ContainerdDaemon
}

// job is a program in the background.
type job struct {
	cmd         *exec.Cmd
	out, errors strings.Builder
	screen      *screen // or nil
}

func command(f func(*stage, *testscript.TestScript, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command cannot be negated")
		}
		if len(args) == 0 {
			ts.Fatalf("this command takes arguments")
		}
		f(ts.Value("stage").(*stage), ts, args)
	}
}

func (s *stage) target(ts *testscript.TestScript, args []string) {
	spec := fixture.Spec{Files: map[string]string{}}
	for _, a := range args[1:] {
		name, value, _ := strings.Cut(a, "=")
		switch name {
		case "user":
			spec.User = true
		case "mount":
			spec.Mount = true
		case "pid":
			spec.PID = true
		case "net":
			spec.Net = true
		case "uts":
			spec.UTS = true
		case "ipc":
			spec.IPC = true
		case "cgroup":
			spec.Cgroup = true
		case "time":
			spec.Time, spec.Monotonic = true, time.Hour
		case "ids": // uids and gids 0 to 999 are 100000 and on; root only
			spec.User = true
			spec.UIDMap = []syscall.SysProcIDMap{{HostID: 100000, Size: 1000}}
			spec.GIDMap = []syscall.SysProcIDMap{{HostID: 200000, Size: 1000}}
		case "root":
			spec.Root = true
			for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib64", "/usr"} {
				if _, err := os.Stat(dir); err == nil {
					spec.Binds = append(spec.Binds, dir)
				}
			}
		case "bare":
			spec.Root = true
		case "hostname":
			spec.Hostname = value
		case "file":
			path, text, _ := strings.Cut(value, ":")
			spec.Files[path] = text
		case "fifo":
			spec.FIFOs = append(spec.FIFOs, value)
		default:
			ts.Fatalf("target: what is %q?", a)
		}
	}
	s.targets[args[0]] = fixture.New(s.t, spec)
	ts.Setenv(args[0], strconv.Itoa(s.targets[args[0]].PID))
}

func (s *stage) container(ts *testscript.TestScript, args []string) {
	start, spec := fixture.RuncContainer, fixture.ContainerSpec{}
	for _, a := range args[1:] {
		switch a {
		case "userns":
			spec.UserNS = true
		case "podman":
			start = fixture.PodmanContainer
		default:
			ts.Fatalf("container: what is %q?", a)
		}
	}
	box := start(s.t, spec)
	ts.Setenv(args[0], strconv.Itoa(box.PID))
}

func (s *stage) end(ts *testscript.TestScript, args []string) { ts.Check(s.targets[args[0]].Close()) }

func (s *stage) need(ts *testscript.TestScript, args []string) {
	for _, a := range args {
		switch a {
		case "root":
			fixture.Need(s.t, fixture.Root)
		case "kernelid": // NS_GET_ID, and namespaces opened by it
			fixture.Need(s.t, fixture.Kernel(6, 18))
		default:
			fixture.Need(s.t, fixture.Program(a))
		}
	}
}

func (s *stage) status(ts *testscript.TestScript, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	var state *os.ProcessState
	if exit != nil {
		state = exit.ProcessState
	}
	expect(ts, state, args[0])
}

// expect compares an exit status, or the name of the signal of death.
func expect(ts *testscript.TestScript, state *os.ProcessState, want string) {
	got := "0"
	if state != nil {
		got = strconv.Itoa(state.ExitCode())
		if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
			got = unix.SignalName(status.Signal())
		}
	}
	if got != want {
		ts.Fatalf("it ended with %s, not %s", got, want)
	}
}

func (s *stage) start(ts *testscript.TestScript, args []string) {
	j := s.job(ts, args)
	j.cmd.Stdout, j.cmd.Stderr = &j.out, &j.errors
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.begin(ts, args[0], j)
}

// pid returns that of a job, or the number that name is.
func (s *stage) pid(ts *testscript.TestScript, name string) int {
	if j := s.jobs[name]; j != nil {
		return j.cmd.Process.Pid
	}
	pid, err := strconv.Atoi(name)
	ts.Check(err)
	return pid
}

func (s *stage) signal(ts *testscript.TestScript, args []string) {
	ts.Check(unix.Kill(s.pid(ts, args[0]), unix.SignalNum(args[1])))
}

func (s *stage) finish(ts *testscript.TestScript, args []string) {
	j := s.jobs[args[0]]
	belt := time.AfterFunc(patience, func() { j.cmd.Process.Kill() })
	j.cmd.Wait()
	belt.Stop()
	fmt.Fprint(ts.Stdout(), j.out.String())
	fmt.Fprint(ts.Stderr(), j.errors.String())
	expect(ts, j.cmd.ProcessState, args[1])
}

// until polls: what is waited for sends no event to those who are not its parent.
func until(ts *testscript.TestScript, patience time.Duration, what string, f func() bool) {
	for end := time.Now().Add(patience); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func (s *stage) await(ts *testscript.TestScript, args []string) {
	until(ts, patience, "text in "+args[0], func() bool {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		line, _, ok := strings.Cut(string(text), "\n")
		ts.Setenv("text", line)
		return ok
	})
}

func (s *stage) state(ts *testscript.TestScript, args []string) {
	pid, limit := s.pid(ts, args[0]), patience
	if args[1] == "-" {
		limit = time.Second
	}
	until(ts, limit, fmt.Sprintf("process %d in state %s", pid, args[1]), func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return args[1] == "-"
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		return strings.HasPrefix(rest, args[1]) || args[1] == "-" && strings.HasPrefix(rest, "Z")
	})
}

func (s *stage) fifo(ts *testscript.TestScript, args []string) {
	ts.Check(unix.Mkfifo(ts.MkAbs(args[0]), 0o600))
}

func (s *stage) program(ts *testscript.TestScript, args []string) {
	path := fmt.Sprintf("/proc/%d/comm", s.pid(ts, args[0]))
	until(ts, patience, path+" says "+args[1], func() bool {
		comm, err := os.ReadFile(path)
		ts.Check(err)
		return strings.TrimSpace(string(comm)) == args[1]
	})
}
