// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// unchanged fails the test if the file of this program is another after it.
func unchanged(t *testing.T) {
	t.Helper()
	before := sumOfThis(t)
	t.Cleanup(func() { require.Equal(t, before, sumOfThis(t), "the program was overwritten") })
}

func sumOfThis(t *testing.T) string {
	t.Helper()
	f, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	require.NoError(t, err)
	return fmt.Sprintf("%x", sum.Sum(nil))
}

var seals = reexec.Register("seals", func(context.Context, struct{}) (int, error) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
})

// The root of a user namespace reaches neither the file nor what it could change.
func TestPromise21RootOfAUserNamespace(t *testing.T) {
	fixture.Need(t, fixture.Cgo)
	require.NoError(t, cnsenter.Seal())
	unchanged(t)
	target := enter(t, fixture.New(t, fixture.Spec{User: true, Mount: true, PID: true}))
	worker, first := spied(t, target, reexec.In(target))
	for _, what := range []string{"exe", "write exe", "link exe"} {
		require.NotEmpty(t, worker[what], what)
	}
	require.Empty(t, first["exe"], "the spy is blind")
	got, err := seals.Call(t.Context(), reexec.In(target), struct{}{})
	require.NoError(t, err)
	require.Equal(t, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE, got)
}

var imageIsReadOnly = reexec.Register("image is read-only", func(context.Context, struct{}) (bool, error) {
	var fs unix.Statfs_t
	err := unix.Statfs("/proc/self/exe", &fs)
	return fs.Flags&unix.ST_RDONLY != 0, err
})

// The root of a container that shares our user namespace may be as powerful as we are: it can look, but not write.
func TestPromise21RootOfOurUserNamespace(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.Root)
	unchanged(t)
	target := enter(t, fixture.New(t, fixture.Spec{Mount: true, PID: true}))
	worker, _ := spied(t, target, reexec.In(target))
	require.NotEmpty(t, worker["write exe"])
	readOnly, err := imageIsReadOnly.Call(t.Context(), reexec.In(target), struct{}{})
	require.NoError(t, err)
	require.True(t, readOnly)
}

func init() {
	// replacer becomes a program that the target has named like this one, CVE-2019-5736.
	roles["replacer"] = func(pid string) int {
		number, _ := strconv.Atoi(pid)
		target, err := launcher.PID(number, ns.All)
		if err == nil {
			var plan cnsenter.Plan
			if plan, err = target.Plan(); err == nil {
				env := inRole("overwriter", "").Env
				plan = append(plan, cnsenter.Exec("/proc/self/exe"))
				err = plan.Replace("replacer", []string{"ours"}, env, func(cnsenter.Step) string { return "" })
			}
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// overwriter keeps hold of the file that it runs, becomes another program, and writes once nobody runs the file any more. It says
	// why it could not.
	roles["overwriter"] = func(string) int {
		fd, err := unix.Open("/proc/self/exe", unix.O_PATH, 0)
		if err == nil {
			script := fmt.Sprintf(`(
				while :; do
					why=$( (echo overwritten >>/proc/self/fd/%d) 2>&1)
					case "$why" in *busy*) sleep 0.01 ;; *) echo "$why"; exit ;; esac
				done
			) & exit 1`, fd)
			err = unix.Exec("/bin/sh", []string{"sh", "-c", script}, []string{"LC_ALL=C"})
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
}

// What the target has executed in place of its program is this very program. It is a copy here: while anybody executes a file, nobody can
// write to it anyhow.
func TestPromise21TheTargetsProgramIsOurs(t *testing.T) {
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
			program := filepath.Join(t.TempDir(), "copy")
			copyOfThis(t, program)
			before, err := os.ReadFile(program)
			require.NoError(t, err)
			cmd := inRole("replacer", strconv.Itoa(target.PID))
			cmd.Path, cmd.Stderr = program, nil
			out, err := cmd.CombinedOutput()
			require.Error(t, err, string(out))
			require.Regexp(t, "Read-only file system|Operation not permitted|Permission denied|I/O error", string(out)) // the last is a shell's for a sealed file
			after, err := os.ReadFile(program)
			require.NoError(t, err)
			require.True(t, bytes.Equal(before, after), "overwritten")
		})
	}
}
