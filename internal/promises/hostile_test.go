// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"iter"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// trapped has a FIFO wherever a program that starts might look.
var trapped = fixture.Spec{User: true, Mount: true, PID: true, Root: true, NoProc: true, FIFOs: fixture.StartTraps}

func TestPromise18TrapsDoNotHangTheStart(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := enter(t, fixture.New(t, trapped))
	ctx, cancel := context.WithTimeout(t.Context(), afterwards) // a trapped call ends with an error
	defer cancel()
	relayed, err := target.Plan()
	require.NoError(t, err)
	lowered := append(append(cnsenter.Plan{}, relayed...), cnsenter.SetCaps(cnsenter.Caps{}))
	for name, starter := range map[string]reexec.Starter{"direct": target, "relay": relayed, "helper": lowered} {
		t.Run(name, func(t *testing.T) {
			_, err := hostname.Call(ctx, reexec.In(starter), struct{}{})
			require.NoError(t, err)
		})
	}
}

// openCall is what strace(1) prints of a call that opens a file; the last part is its result.
var openCall = regexp.MustCompile(`^(\d+) +(?:open|openat|openat2|creat)\((.*)\) += (-?\d+)`)

// From the join of the mount namespace on, up to the return to its root, nothing is opened but the places themselves, O_PATH.
func TestPromise18NothingIsOpenedInTheTarget(t *testing.T) {
	fixture.Need(t, fixture.Program("strace"))
	victim := quarry(t)
	for _, mode := range []string{"call", "relay", "lower"} {
		t.Run(mode, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			args := append([]string{
				"--follow-forks", "--output=" + log, "-e", "trace=open,openat,openat2,creat,setns,chroot",
			}, victim(mode, "once")...)
			out, err := exec.Command("strace", args...).CombinedOutput()
			require.NoError(t, err, string(out))
			require.Contains(t, string(out), `"Err":""`)
			text, err := os.ReadFile(log)
			require.NoError(t, err)
			roots, looked := 0, 0
			for line := range wholeLines(string(text)) {
				switch {
				case strings.Contains(line, "setns(") && strings.HasSuffix(line, "= 0") && strings.Contains(line, "NEWNS"):
					roots = 2
				case strings.Contains(line, "chroot(") && roots > 0:
					roots--
				}
				call := openCall.FindStringSubmatch(line)
				if call == nil || roots == 0 {
					continue
				}
				looked++
				if call[3] != "-1" {
					require.Contains(t, call[2], "O_PATH", line)
				}
			}
			require.Zero(t, roots, "the way back to the root was not seen")
			require.NotZero(t, looked)
		})
	}
}

// wholeLines gives the lines of strace(1), with the two halves of a call that was interrupted by another put together.
func wholeLines(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		begun := map[string]string{}
		for line := range strings.SplitSeq(text, "\n") {
			pid, _, _ := strings.Cut(line, " ")
			if head, cut := strings.CutSuffix(line, " <unfinished ...>"); cut {
				begun[pid] = head
				continue
			}
			if _, tail, resumed := strings.Cut(line, " resumed>"); resumed {
				line = begun[pid] + tail
			}
			if !yield(line) {
				return
			}
		}
	}
}

// evil is a target whose name service, and whose dynamic linker for everything, is a library that leaves a mark.
func evil(t *testing.T) *fixture.Target {
	t.Helper()
	fixture.Need(t, fixture.Program("gcc"))
	dir := t.TempDir()
	source, library := filepath.Join(dir, "evil.c"), filepath.Join(dir, "evil.so")
	require.NoError(t, os.WriteFile(source, []byte(`
		#include <fcntl.h>
		__attribute__((constructor)) static void mark(void) { open("`+mark+`", O_CREAT | O_WRONLY, 0600); }
	`), 0o600))
	out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", library, source).CombinedOutput()
	require.NoError(t, err, string(out))
	code, err := os.ReadFile(library)
	require.NoError(t, err)
	files := map[string]string{
		"/etc/nsswitch.conf":  "passwd: evil\ngroup: evil\nhosts: evil\nservices: evil\n",
		"/etc/ld.so.preload":  "/lib/evil.so\n",
		"/etc/passwd":         "root:x:0:0::/:/bin/sh\n",
		"/lib/evil.so":        string(code),
		"/lib/libgcc_s.so.1":  string(code), // pthread_cancel(3) loads it
		"/lib/gconv/EVIL.so":  string(code),
		"/usr/lib/locale/C":   "evil",
		"/bin/xz":             "#!/bin/sh\n: > " + mark + "\n",
		"/usr/bin/newuidmap":  "#!/bin/sh\n: > " + mark + "\n",
		"/lib/libnss_evil.so": string(code),
	}
	for _, dir := range []string{"/lib", "/usr/lib", "/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu"} {
		files[dir+"/libnss_evil.so.2"] = string(code)
		files[dir+"/libnss_files.so.2"] = string(code)
	}
	return fixture.New(t, fixture.Spec{
		User: true, Mount: true, PID: true, Net: true, Root: true, Binds: []string{"/dev/zero"}, Files: files,
	})
}

const mark = "/tmp/mark"

func marked(target *fixture.Target) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d/root%s", target.PID, mark))
	return err == nil
}

var lookUp = reexec.Register("look up", func(ctx context.Context, _ struct{}) (string, error) {
	lookUpEverything(ctx)
	return os.Hostname()
})

// lookUpEverything asks what libc's name service answers, in a program that links it.
func lookUpEverything(ctx context.Context) {
	user.Lookup("somebody")
	user.LookupGroup("some group")
	user.LookupId("4711")
	net.DefaultResolver.LookupHost(ctx, "some.invalid")
	net.DefaultResolver.LookupPort(ctx, "tcp", "some service")
}

func init() {
	// naive goes where its argument says, without a plan, and looks names up.
	roles["naive"] = func(path string) int {
		runtime.LockOSThread()
		h, err := ns.Open(path)
		if err == nil {
			err = ns.Enter(h)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		user.Lookup("somebody") // on this thread
		return 0
	}
}

func TestPromise19NoCodeOfTheTargetIsRun(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := evil(t)
	entered := enter(t, target)
	relayed, err := entered.Plan()
	require.NoError(t, err)
	for name, starter := range map[string]reexec.Starter{"direct": entered, "relay": relayed} {
		t.Run(name, func(t *testing.T) {
			on := &reexec.Process{Starter: starter, Env: append(os.Environ(), "GODEBUG=netdns=cgo")}
			_, err := lookUp.Call(t.Context(), on, struct{}{})
			require.NoError(t, err)
			require.False(t, marked(target), "code of the target was run")
		})
	}
}

// The trap of the test above is a trap.
func TestPromise19WithoutAPlanItWouldBe(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Root)
	target := evil(t)
	require.NoError(t, inRole("naive", target.NS("mnt")).Run())
	maps, err := os.ReadFile("/proc/self/maps")
	require.NoError(t, err)
	require.Equal(t, strings.Contains(string(maps), "/libc.so.6"), marked(target), "a program with glibc's name service falls into it")
}

// stay runs until its caller breaks off, and gives its pid first.
var stay = reexec.RegisterStream("stay", func(ctx context.Context, _ struct{}) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		if yield(os.Getpid(), nil) {
			<-ctx.Done()
		}
	}
})

// spied lets a spy look at a worker in the target, and at the target's own first process.
func spied(t *testing.T, target *launcher.Target, on reexec.Runner) (worker, first findings) {
	t.Helper()
	for pid, err := range stay.Call(t.Context(), on, struct{}{}) {
		require.NoError(t, err)
		return spy(t, target, pid), spy(t, target, 1)
	}
	require.Fail(t, "no worker")
	return nil, nil
}

func TestPromise20WorkerCannotBeInspected(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := enter(t, fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true}))
	relayed, err := target.Plan()
	require.NoError(t, err)
	var pool reexec.Pool
	defer pool.Close()
	for name, on := range map[string]reexec.Runner{
		"direct": reexec.In(target), "relay": reexec.In(relayed), "warm": pool.On(0, target),
	} {
		t.Run(name, func(t *testing.T) {
			worker, first := spied(t, target, on)
			for what, found := range worker {
				require.NotEmpty(t, found, "%s of the worker was had", what)
			}
			for _, what := range []string{"environ", "link fd/0", "trace"} {
				require.Empty(t, first[what], "the spy is blind")
			}
		})
	}
}
