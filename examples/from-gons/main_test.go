// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	gons "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	gons.CheckAction()
	transcript.Main(m, main)
}

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.UserNS, fixture.NoRace) }

func TestDocker(t *testing.T) {
	fixture.Need(t, fixture.NoRace)
	box := fixture.DockerContainer(t, fixture.ContainerSpec{Hostname: "web", Files: map[string]string{"/tmp/hello": "hello"}})
	theirs, err := lookByGons(box.PID, "/tmp/hello")
	require.NoError(t, err)
	require.Equal(t, sight{Hostname: "web", File: "hello", Interfaces: []string{"lo"}}, theirs)
	ours, err := lookByAirlock(t.Context(), box.PID, "/tmp/hello")
	require.NoError(t, err)
	require.Equal(t, theirs, ours)
}

// What README.md says of the differences.

func TestErrors(t *testing.T) {
	tgt := fixture.New(t, fixture.Spec{UTS: true})
	_, err := lookByGons(tgt.PID, "/no-such")
	require.ErrorContains(t, err, "panic: open /no-such: no such file or directory")
	require.NotErrorIs(t, err, fs.ErrNotExist)
	_, err = lookByAirlock(t.Context(), tgt.PID, "/no-such")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// nothing is called in a plain copy of this program.
var nothing = reexec.Register("nothing", func(context.Context, struct{}) (out struct{}, err error) { return out, nil })

// noisy prints something before its result, as a package that it uses might.
var noisy = reexec.Register("noisy", func(context.Context, struct{}) (int, error) {
	fmt.Println("by the way")
	return 42, nil
})

func init() {
	gons.Register("nothing", func() {})
	gons.Register("noisy", func() { fmt.Println("by the way"); fmt.Println(42) })
	gons.Register("warns", func() { println("by the way"); fmt.Println(42) })
	gons.Register("answer", func() { fmt.Println(42) })
	gons.Register("variable", func() {
		printer := exec.Command("/bin/sh", "-c", `echo "\"$gons_uts\""`)
		printer.Stdout = os.Stdout
		if err := printer.Run(); err != nil {
			panic(err)
		}
	})
}

func TestOutput(t *testing.T) {
	var n int
	require.ErrorContains(t, gons.RunReexecAction("noisy", gons.Result(&n)), "cannot decode child result")
	require.ErrorContains(t, gons.RunReexecAction("warns", gons.Result(&n)), "child failed with stderr message")
	n, err := noisy.Call(t.Context(), &reexec.Process{Stdout: t.Output()}, struct{}{})
	require.NoError(t, err)
	require.Equal(t, 42, n)
}

func TestNoResult(t *testing.T) {
	require.ErrorContains(t, gons.RunReexecAction("nothing"), "cannot decode child result")
	_, err := nothing.Call(t.Context(), nil, struct{}{})
	require.NoError(t, err)
}

// namespaces is how gons is told of one of a target's, which an ordinary user enters by way of its user namespace.
func namespaces(tgt *fixture.Target, name string) gons.ReexecActionOption {
	list := []gons.Namespace{{Type: "!" + name, Path: tgt.NS(name)}}
	if tgt.Spec.User {
		list = append([]gons.Namespace{{Type: "!user", Path: tgt.NS("user")}}, list...)
	}
	return gons.Namespaces(list)
}

func TestVariables(t *testing.T) {
	tgt := fixture.New(t, fixture.Spec{UTS: true})
	var seen string
	require.NoError(t, gons.RunReexecAction("variable", namespaces(tgt, "uts"), gons.Result(&seen)))
	require.Equal(t, tgt.NS("uts"), seen, "a program that the action starts has the variables, and acts on them if it links gons")
}

func TestPIDNamespace(t *testing.T) {
	tgt := fixture.New(t, fixture.Spec{PID: true})
	var n int
	require.ErrorContains(t, gons.RunReexecAction("answer", namespaces(tgt, "pid"), gons.Result(&n)), "pthread_create failed")
	inside, err := launcher.PID(tgt.PID, ns.All)
	require.NoError(t, err)
	defer inside.Close()
	_, err = nothing.Call(t.Context(), reexec.In(inside), struct{}{})
	require.NoError(t, err)
}
