// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/internal/transcript"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) { transcript.Main(m, main) }

func TestReadme(t *testing.T) { transcript.Check(t, "README.md", fixture.Cgo, fixture.UserNS) }

func TestSubordinate(t *testing.T) {
	names := []string{"1000", "me"}
	want := []ns.IDMap{{Inside: 1, Outside: 200000, Size: 65536}}
	for text, want := range map[string][]ns.IDMap{
		"you:100000:65536\nme:200000:65536\nme:300000:65536\n": want,
		"1000:200000:65536\n":                        want,
		"# me:1:2\nmen:1:2\nme:x:2\nme:200000:65536": want,
		"me:1\n": nil,
		"":       nil,
	} {
		require.Equal(t, want, subordinate([]byte(text), names), text)
	}
}

// Ids that nobody gave to the user are refused to him, and to root nothing is.
func TestIDsOfOthers(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS, fixture.Program("newuidmap"))
	own := []ns.IDMap{{Inside: 0, Outside: os.Getgid(), Size: 1}}
	others := []ns.IDMap{{Inside: 0, Outside: os.Getuid(), Size: 1}, {Inside: 1, Outside: os.Getuid() + 1, Size: 1}}
	inside := cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.User, UIDMap: others, GIDMap: own}), cnsenter.SetUID(0)}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	s, err := act.Call(context.Background(), reexec.In(inside), file)
	if os.Getuid() == 0 {
		require.NoError(t, err)
		require.Equal(t, syscall.EINVAL.Error(), s.Give, "the gid is not mapped")
		return
	}
	var failed *cnsenter.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, cnsenter.OpUnshare, failed.Op)
	require.ErrorAs(t, err, new(*exec.ExitError))
	require.ErrorContains(t, err, "newuidmap")
}
