// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/stretchr/testify/require"
)

// pretend is a process whose /proc directory holds these files.
func pretend(t *testing.T, files map[string]string) *process {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	f, err := openDirectory(dir)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return &process{pid: 1, proc: "/proc", dir: f}
}

func TestAppArmorProfile(t *testing.T) {
	for current, want := range map[string]string{
		"docker-default (enforce)\n":      "exec docker-default",
		"unconfined\n":                    "exec unconfined",
		"/usr/bin/a (b) c (complain)\n":   "exec /usr/bin/a (b) c",
		"snap.x//&:ns://unconfined (mix)": "exec snap.x//&:ns://unconfined",
	} {
		list, err := appArmor(pretend(t, map[string]string{"attr/apparmor/current": current}))
		require.NoError(t, err)
		require.Equal(t, []label{{"apparmor/exec", want}}, list)
	}
	list, err := appArmor(pretend(t, nil))
	require.NoError(t, err, "a kernel without AppArmor")
	require.Empty(t, list)
}

// The label is written by the process that executes the program.
func TestLabelStep(t *testing.T) {
	r := &request{follow: followLabel}
	plan, err := r.labels(cnsenter.Plan{cnsenter.Fork()}, pretend(t, map[string]string{
		"attr/apparmor/current": "box (enforce)\n", "attr/current": "system_u:system_r:box_t:s0\x00",
	}))
	require.NoError(t, err)
	require.Equal(t, cnsenter.OpWrite, plan[len(plan)-1].Op())
	plan, err = (&request{}).labels(nil, nil)
	require.NoError(t, err)
	require.Empty(t, plan)
}
