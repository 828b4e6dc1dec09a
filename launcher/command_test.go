// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package launcher_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// inside is a target with a hostname and a file of its own.
func inside(t *testing.T) *launcher.Target {
	t.Helper()
	made := fixture.New(t, fixture.Spec{
		User: true, Mount: true, PID: true, UTS: true, Hostname: "inside", Files: map[string]string{"/mnt/planted": "seed"},
	})
	target, err := launcher.PID(made.PID, ns.All)
	require.NoError(t, err)
	t.Cleanup(func() { target.Close() })
	return target
}

// Cmd is what exec.Cmd is: every field and every method is there and has the same type, and nothing is embedded, through which
// a call could reach os/exec without the target.
func TestCmdIsAnExecCmd(t *testing.T) {
	theirs, ours := reflect.TypeFor[exec.Cmd](), reflect.TypeFor[launcher.Cmd]()
	for i := range theirs.NumField() {
		field := theirs.Field(i)
		if !field.IsExported() {
			continue
		}
		same, ok := ours.FieldByName(field.Name)
		require.True(t, ok, "field %s", field.Name)
		require.Equal(t, field.Type, same.Type, "field %s", field.Name)
	}
	for i := range ours.NumField() {
		require.False(t, ours.Field(i).Anonymous)
	}
	theirs, ours = reflect.PointerTo(theirs), reflect.PointerTo(ours)
	for i := range theirs.NumMethod() {
		method := theirs.Method(i)
		same, ok := ours.MethodByName(method.Name)
		require.True(t, ok, "method %s", method.Name)
		require.Equal(t, signature(method.Type), signature(same.Type), "method %s", method.Name)
	}
}

// signature returns the types of a method, but that of its receiver.
func signature(f reflect.Type) string {
	var types []string
	for i := 1; i < f.NumIn(); i++ {
		types = append(types, f.In(i).String())
	}
	types = append(types, "to")
	for i := range f.NumOut() {
		types = append(types, f.Out(i).String())
	}
	return strings.Join(types, " ")
}

// Every method that starts the program starts it in the target.
func TestNoMethodBypassesTheTarget(t *testing.T) {
	target := inside(t)
	const script = "uname -n; cat /mnt/planted"
	const want = "inside\nseed"
	for name, run := range map[string]func(c *launcher.Cmd) (string, error){
		"Output": func(c *launcher.Cmd) (string, error) {
			out, err := c.Output()
			return string(out), err
		},
		"CombinedOutput": func(c *launcher.Cmd) (string, error) {
			out, err := c.CombinedOutput()
			return string(out), err
		},
		"Run": func(c *launcher.Cmd) (string, error) {
			var out strings.Builder
			c.Stdout = &out
			err := c.Run()
			return out.String(), err
		},
		"Start and Wait, StdoutPipe": func(c *launcher.Cmd) (string, error) {
			r, err := c.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			out, err := io.ReadAll(r)
			require.NoError(t, err)
			return string(out), c.Wait()
		},
		"StderrPipe": func(c *launcher.Cmd) (string, error) {
			c.Args[2] = "(" + script + ") >&2"
			r, err := c.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			out, err := io.ReadAll(r)
			require.NoError(t, err)
			return string(out), c.Wait()
		},
		"StdinPipe": func(c *launcher.Cmd) (string, error) {
			c.Args = c.Args[:1]
			w, err := c.StdinPipe()
			require.NoError(t, err)
			var out strings.Builder
			c.Stdout = &out
			require.NoError(t, c.Start())
			_, err = io.WriteString(w, script)
			require.NoError(t, err)
			w.Close()
			err = c.Wait()
			return out.String(), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := launcher.Command(target, "sh", "-c", script)
			out, err := run(c)
			require.NoError(t, err)
			require.Equal(t, want, out)
			require.True(t, c.ProcessState.Success())
			require.NotNil(t, c.Process)
		})
	}
}

func TestCommandFields(t *testing.T) {
	target := inside(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	c := launcher.Command(target, "sh", "-c", `pwd; echo "$0 $1 $VAR $HOME"; echo extra >&3; cat`, "zero", "one")
	c.Dir = "/mnt"
	c.Env = []string{"VAR=value", "PATH=/usr/bin:/bin"}
	c.Stdin = strings.NewReader("from stdin")
	c.ExtraFiles = []*os.File{w}
	out, err := c.Output()
	require.NoError(t, err)
	require.Equal(t, "/mnt\nzero one value \nfrom stdin", string(out))
	extra := make([]byte, 6)
	_, err = io.ReadFull(r, extra)
	require.NoError(t, err)
	require.Equal(t, "extra\n", string(extra))
	require.Equal(t, []string{"VAR=value", "PATH=/usr/bin:/bin", "PWD=/mnt"}[:2], c.Environ()[:2])
	require.Equal(t, "sh -c true", launcher.Command(target, "sh", "-c", "true").String())
}

func TestCommandErrors(t *testing.T) {
	target := inside(t)
	missing := launcher.Command(target, "no-such-program")
	missing.Env = []string{"PATH=/usr/bin:/bin"}
	err := missing.Run()
	require.ErrorIs(t, err, exec.ErrNotFound)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "execute no-such-program")

	err = launcher.Command(target, "/mnt/planted").Run()
	require.ErrorIs(t, err, os.ErrPermission)

	c := launcher.Command(target, "true")
	c.Dir = "/no/such"
	err = c.Run()
	var e *cnsenter.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, cnsenter.OpChdir, e.Op)
	require.Equal(t, "/no/such", e.Path)

	_, err = launcher.Command(target, "sh", "-c", "echo why >&2; exit 3").Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 3, exit.ExitCode())
	require.Equal(t, "why\n", string(exit.Stderr))

	require.ErrorContains(t, (&launcher.Cmd{Path: "true"}).Run(), "made by Command")
	c = launcher.Command(target, "true")
	c.Err = os.ErrDeadlineExceeded
	require.ErrorIs(t, c.Run(), os.ErrDeadlineExceeded)
}

func TestCommandContext(t *testing.T) {
	target := inside(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := launcher.CommandContext(ctx, target, "sleep", "60")
	require.NoError(t, c.Start())
	cancel()
	require.EqualError(t, c.Wait(), "signal: killed")
	require.Equal(t, syscall.SIGKILL, c.ProcessState.Sys().(syscall.WaitStatus).Signal())

	require.ErrorIs(t, launcher.CommandContext(ctx, target, "true").Run(), context.Canceled)
}

func TestCommandInOwnNamespaces(t *testing.T) {
	target, err := launcher.PID(os.Getpid(), ns.All)
	require.NoError(t, err)
	defer target.Close()
	c := launcher.Command(target, "pwd")
	c.Dir = "/usr"
	out, err := c.Output()
	require.NoError(t, err)
	require.Equal(t, "/usr\n", string(out))
}

// A Cmd that is started on a visit starts from there, as an exec.Cmd would.
func TestCommandOnAVisit(t *testing.T) {
	visited := fixture.New(t, fixture.Spec{User: true, Net: true, UTS: true, Hostname: "visited"})
	uts, err := ns.OpenPID(visited.PID, ns.UTS)
	require.NoError(t, err)
	defer uts.Close()
	net, err := ns.OpenPID(visited.PID, ns.Net)
	require.NoError(t, err)
	defer net.Close()
	fixture.Need(t, fixture.Root)
	for name, target := range map[string]*launcher.Target{"same": launcher.Handles(uts), "another": launcher.Handles(net)} {
		t.Run(name, func(t *testing.T) {
			var out []byte
			require.NoError(t, ns.Do(func() (err error) {
				out, err = launcher.Command(target, "uname", "-n").Output()
				return err
			}, uts))
			require.Equal(t, "visited\n", string(out))
		})
	}
}

// A second Start fails, and what the first has started goes on until its Wait.
func TestCommandStartsOnce(t *testing.T) {
	fixture.Need(t, fixture.Root)
	target := fixture.New(t, fixture.Spec{UTS: true})
	uts, err := ns.OpenPID(target.PID, ns.UTS)
	require.NoError(t, err)
	defer uts.Close()
	cmd := launcher.Command(launcher.Handles(uts), "cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	before := runtime.NumGoroutine() // without that in which Eventually looks
	require.NoError(t, cmd.Start())
	require.ErrorContains(t, cmd.Start(), "already started")
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, time.Millisecond, "the thread is kept")
}
