// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func init() { roles["reaper"] = reaper }

// hunt is what a reaper is to do with a victim.
type hunt struct {
	Victim []string // its command line
	Delay  time.Duration
	Place  string        // in the constructor: a process that gets there is waited for; empty: only Delay
	Pause  time.Duration // how long a process stays there
	Prey   bool          // that process is killed, not the victim
}

// kill is what came of a hunt.
type kill struct {
	Missed bool // the victim ended before
	Said   string
	Left   []string      // processes that did not end
	After  time.Duration // from the kill to the end of the last process
}

// reaper starts the victim, kills it or its prey, and waits until nothing is left: whatever descends from it becomes its child,
// PR_SET_CHILD_SUBREAPER in prctl(2). It prints a kill.
func reaper(argument string) int {
	var h hunt
	err := json.Unmarshal([]byte(argument), &h)
	if err == nil {
		err = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reaper:", err)
		return 1
	}
	json.NewEncoder(os.Stdout).Encode(h.run())
	return 0
}

func (h hunt) run() (k kill) {
	name := "prey" + strconv.Itoa(os.Getpid())
	cmd := exec.Command(h.Victim[0], h.Victim[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("AIRLOCK_PAUSE=%s %d %s", h.Place, h.Pause.Milliseconds(), name))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return kill{Said: err.Error()}
	}
	began := time.Now()
	prey := 0
	if h.Place != "" {
		for prey == 0 && time.Since(began) < 20*time.Second && running(cmd.Process.Pid) {
			prey = findNamed(name)
		}
		k.Missed = prey == 0
	}
	time.Sleep(h.Delay) // the moment is what is tried
	began = time.Now()
	if h.Prey && prey != 0 {
		unix.Kill(prey, unix.SIGKILL)
	} else {
		k.Missed = k.Missed || !running(cmd.Process.Pid)
		cmd.Process.Kill()
	}
	cmd.Wait()
	k.Left = untilNothingIsLeft(began.Add(20 * time.Second))
	k.After = time.Since(began)
	k.Said = out.String()
	return k
}

func running(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0
}

// findNamed finds a process by the name that it has given itself.
func findNamed(name string) int {
	paths, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, path := range paths {
		if comm, err := os.ReadFile(path); err == nil && string(comm) == name+"\n" {
			pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
			return pid
		}
	}
	return 0
}

// untilNothingIsLeft reaps all children there are and will be. Those that have not ended by then it names and kills.
func untilNothingIsLeft(end time.Time) (left []string) {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		switch {
		case err == unix.ECHILD:
			return left
		case pid > 0:
		case time.Now().Before(end):
			time.Sleep(time.Millisecond)
		default:
			lists, _ := filepath.Glob("/proc/self/task/*/children")
			for _, list := range lists {
				text, _ := os.ReadFile(list)
				for child := range strings.FieldsSeq(string(text)) {
					status, _ := os.ReadFile("/proc/" + child + "/stat")
					left = append(left, string(status))
					number, _ := strconv.Atoi(child)
					unix.Kill(number, unix.SIGKILL)
				}
			}
			end = time.Now().Add(time.Minute)
		}
	}
}

// hunted lets a reaper do it. On a busy machine a process may not be found while it is at the place: then the next stays for longer. The
// kill does not say how long it stayed after that.
func hunted(t *testing.T, h hunt) (k kill) {
	t.Helper()
	for h.Pause = 200 * time.Millisecond; ; h.Pause *= 4 {
		text, err := json.Marshal(h)
		require.NoError(t, err)
		out, err := inRole("reaper", string(text)).Output()
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(out, &k), string(out))
		if h.Place == "" {
			return k
		}
		if !k.Missed || h.Pause > 10*time.Second {
			k.After -= h.Pause
			return k
		}
	}
}
