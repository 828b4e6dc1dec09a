// SPDX-License-Identifier: Apache-2.0

//go:build linux

package documents

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark/ast"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

const troubleshooting = "docs/troubleshooting.md"

func TestTroubleshooting(t *testing.T) {
	transcript.Check(t, "../../docs/troubleshooting.md", fixture.Cgo, fixture.UserNS)
}

// spans are the texts of a document that stand in backquotes.
func spans(d document) map[string]bool {
	all := map[string]bool{}
	each(d, func(c *ast.CodeSpan) { all[d.plain(c)] = true })
	return all
}

// Every error that a package exports is explained.
func TestEveryErrorIsExplained(t *testing.T) {
	said := spans(read(t, troubleshooting))
	for name, api := range ours(t) {
		for err := range api.errs {
			require.True(t, said[name+"."+err] || said["*"+name+"."+err], "%s does not have `%s.%s`", troubleshooting, name, err)
		}
	}
}

// behave does what its parameter says.
var behave = reexec.Register("behave", func(ctx context.Context, how string) (string, error) {
	switch how {
	case "panic":
		panic("boom")
	case "goexit":
		runtime.Goexit()
	case "exit":
		os.Exit(3)
	case "large":
		return string(make([]byte, 100)), nil
	case "late":
		fmt.Println("ready")
		<-ctx.Done()
	}
	return "", nil
})

type named struct{ Name string }

var odd = reexec.Register("odd", func(context.Context, struct{}) (named, error) { return named{"caf\xe9"}, nil })

// trigger is a writer that calls the function.
type trigger func()

func (f trigger) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}

// called calls behave. The call is cancelled as soon as the function prints something.
func called(t *testing.T, how string) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := behave.Call(ctx, &reexec.Process{MaxResult: 64, Stdout: trigger(cancel)}, how)
	return err
}

// errorsOf are errors as they are made, for what ends up in the document.
func errorsOf(t *testing.T) (all []error) {
	other, err := fixture.Start(fixture.Spec{User: true, Mount: true, PID: true, Net: true})
	require.NoError(t, err)
	defer other.Close()
	theirs, err := ns.OpenPID(other.PID, ns.User)
	require.NoError(t, err)
	defer theirs.Close()
	mine, err := ns.Current(ns.User)
	require.NoError(t, err)
	defer mine.Close()
	closed := &reexec.Pool{}
	require.NoError(t, closed.Close())

	ctx := t.Context()
	for _, how := range []string{"panic", "goexit", "exit", "large", "late"} {
		all = append(all, called(t, how))
	}
	for _, f := range []func() error{
		func() error { _, err := reexec.Func[int, int]{}.Call(ctx, nil, 1); return err },
		func() error { _, err := odd.Call(ctx, nil, struct{}{}); return err },
		func() error { _, err := behave.Call(ctx, closed.On("key", nil), ""); return err },
		func() error { return &reexec.Error{Func: "behave", Stage: reexec.StageStart, Err: reexec.ErrNotInit} },
		func() error { _, err := ns.Open("/etc/passwd"); return err },
		func() error { _, err := ns.OpenNamed("no-such-name"); return err },
		func() error { _, err := ns.OpenPID(999999999, ns.Net); return err },
		func() error { _, err := ns.Current(ns.Net | ns.UTS); return err },
		func() error { _, err := mine.Parent(); return err },
		func() error { _, err := mine.Owner(); return err },
		func() error { return ns.Do(func() error { return nil }, theirs) },
		func() error { _, err := theirs.FS(); return err },
		func() error { _, err := launcher.PID(999999999, ns.All); return err },
		func() error { _, err := launcher.Parse(ctx, "web", ns.All); return err },
		func() error { _, err := container.Find(ctx, "0123456789ab"); return err },
		func() error { return (cnsenter.Plan{cnsenter.Setsid()}).Start(exec.Command("/bin/true")) },
		func() error {
			return (cnsenter.Plan{cnsenter.Join(mine.File(), ns.User)}).Start(exec.Command("/proc/self/exe"))
		},
		func() error { return &cnsenter.Error{Step: 1, Op: cnsenter.OpFork, Err: unix.ENOMEM} },
	} {
		all = append(all, f())
	}
	return all
}

// TestErrorTexts makes errors, and looks for what they say, with 4711 for all pids.
func TestErrorTexts(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS)
	said := spans(read(t, troubleshooting))
	pids := regexp.MustCompile(`(/proc/|/task/|\bpid )\d+`)
	for _, err := range errorsOf(t) {
		require.Error(t, err)
		text := pids.ReplaceAllString(err.Error(), "${1}4711")
		require.True(t, said[text], "%s does not have `%s`", troubleshooting, text)
	}
}
