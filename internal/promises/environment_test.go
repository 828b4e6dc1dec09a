// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/promises/early"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func init() {
	roles["witness"] = func(string) int {
		json.NewEncoder(os.Stdout).Encode(witnessHere())
		return 0
	}
}

// testimony is what a process sees of itself.
type testimony struct {
	Net       string   // namespace
	Variables []string // ours that are left
	EUID      int
	EGID      int
}

func witnessHere() (w testimony) {
	w.Net, _ = os.Readlink("/proc/self/ns/net")
	w.Variables = controlling(os.Environ())
	w.EUID, w.EGID = os.Geteuid(), os.Getegid()
	return w
}

// controlling gives the variables in env by which our packages speak to their copies.
func controlling(env []string) (found []string) {
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if name == "AIRLOCK_PLAN" || name == "AIRLOCK_CALL" {
			found = append(found, v)
		}
	}
	return found
}

// A real plan, on a real socket: a program that has more rights than whoever starts it does not carry it out.
func TestPromise13PlanForAPrivilegedProgram(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Root)
	target := fixture.New(t, fixture.Spec{Net: true})
	dir, err := os.MkdirTemp("/var/tmp", "airlock") // /tmp may be mounted nosuid
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	for name, privilege := range map[string]func(t *testing.T, program string){
		"none": func(*testing.T, string) {},
		"set-user-ID": func(t *testing.T, program string) {
			require.NoError(t, os.Chmod(program, 0o755|os.ModeSetuid))
		},
		"set-group-ID": func(t *testing.T, program string) {
			require.NoError(t, os.Chown(program, 0, 54321))
			require.NoError(t, os.Chmod(program, 0o755|os.ModeSetgid))
		},
		"file capability": func(t *testing.T, program string) {
			// vfs_cap_data of linux/capability.h: revision 2, effective; CAP_SYS_ADMIN permitted.
			capability := []byte{1, 0, 0, 2, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
			require.NoError(t, unix.Setxattr(program, "security.capability", capability, 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			copyOfThis(t, program)
			privilege(t, program)
			h, err := ns.Open(target.NS("net"))
			require.NoError(t, err)
			defer h.Close()

			cmd := inRole("witness", "")
			cmd.Path = program
			cmd.Env = append(cmd.Env, "AIRLOCK_JOIN=net="+target.NS("net"))
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
			var out bytes.Buffer
			cmd.Stdout = &out
			err = cnsenter.Plan{cnsenter.Join(h.File(), ns.Net)}.Start(cmd)
			if name == "none" { // the plan is good, but for a user without the right to join
				require.ErrorIs(t, err, syscall.EPERM)
				require.Empty(t, out.String(), "main ran")
				return
			}
			require.ErrorIs(t, err, cnsenter.ErrNoReport)
			var w testimony
			require.NoError(t, json.Unmarshal(out.Bytes(), &w), out.String())
			require.Equal(t, witnessHere().Net, w.Net)
			require.Empty(t, w.Variables)
			require.Equal(t, name == "set-user-ID", w.EUID == 0, "the bit does not work here")
			require.Equal(t, name == "set-group-ID", w.EGID == 54321, "the bit does not work here")
		})
	}
}

func copyOfThis(t *testing.T, path string) {
	t.Helper()
	from, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
}

// Whatever descriptor the variable names, if it holds no plan nothing is joined, and main does not run.
func TestPromise13DescriptorsThatHoldNoPlan(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(pair[0])
	silent := os.NewFile(uintptr(pair[1]), "silent socket")
	defer silent.Close()
	garbage, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(garbage[0])
	require.NoError(t, unix.Sendto(garbage[0], bytes.Repeat([]byte{0xff}, 100), 0, nil))
	talking := os.NewFile(uintptr(garbage[1]), "talking socket")
	defer talking.Close()
	pipe, w, err := os.Pipe()
	require.NoError(t, err)
	defer pipe.Close()
	defer w.Close()
	regular, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer regular.Close()
	zero, err := os.Open("/dev/zero")
	require.NoError(t, err)
	defer zero.Close()
	for value, file := range map[string]*os.File{
		"3 ": nil, "": nil, "-1": nil, "4294967299": nil, "0x3": nil, "03": zero, "3": zero, "3a": zero, "99": nil, "１": nil,
		"3 pipe": pipe, "3 regular": regular, "3 silent": silent, "3 garbage": talking,
	} {
		t.Run(value, func(t *testing.T) {
			number, what, _ := strings.Cut(value, " ")
			if what == "" {
				number = value
			}
			cmd := inRole("witness", "")
			cmd.Env = append(cmd.Env, "AIRLOCK_PLAN="+number)
			if file != nil {
				cmd.ExtraFiles = []*os.File{file}
			}
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Run(), &exit)
			require.Equal(t, 1, exit.ExitCode())
			require.Empty(t, out.String(), "main ran")
			require.Contains(t, errs.String(), "airlock: AIRLOCK_PLAN: no plan there")
		})
	}
}

// variables are the variables that are left: at initialisation, in the function, and in a child.
type variables struct{ Early, Here, Child []string }

var lookForVariables = reexec.Register("look for variables", func(context.Context, struct{}) (s variables, err error) {
	s.Early, s.Here = controlling(early.Env), controlling(os.Environ())
	out, err := exec.Command("/usr/bin/env").Output()
	s.Child = controlling(strings.Split(string(out), "\n"))
	return s, err
})

var callFromInside = reexec.Register("call from inside", func(ctx context.Context, types ns.Type) (string, error) {
	if types == 0 {
		return hostname.Call(ctx, nil, struct{}{})
	}
	return hostname.Call(ctx, reexec.In(cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: types})}), struct{}{})
})

var hostname = reexec.Register("hostname", func(context.Context, struct{}) (string, error) { return os.Hostname() })

func TestPromise14VariablesAreGone(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := enter(t, fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, UTS: true, Hostname: "inside"}))
	var pool reexec.Pool
	defer pool.Close()
	for name, on := range map[string]reexec.Runner{"plain": nil, "inside": reexec.In(target), "warm": pool.On(0, target)} {
		t.Run(name, func(t *testing.T) {
			s, err := lookForVariables.Call(t.Context(), on, struct{}{})
			require.NoError(t, err)
			require.Equal(t, variables{}, s)
		})
	}
}

func TestPromise14CallFromAWorker(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	target := enter(t, fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true, UTS: true, Hostname: "inside"}))
	for _, types := range []ns.Type{0, ns.IPC | ns.Net} {
		name, err := callFromInside.Call(t.Context(), reexec.In(target), types)
		require.NoError(t, err)
		require.Equal(t, "inside", name)
	}
}

// enter makes a launcher's target of a fixture's.
func enter(t *testing.T, target *fixture.Target) *launcher.Target {
	t.Helper()
	return enterPID(t, target.PID)
}

func enterPID(t *testing.T, pid int) *launcher.Target {
	t.Helper()
	target, err := launcher.PID(pid, ns.All)
	require.NoError(t, err, strconv.Itoa(pid))
	t.Cleanup(func() { require.NoError(t, errors.Join(target.Close())) })
	return target
}
