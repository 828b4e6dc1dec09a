// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Two profiles, apparmor.d(5): in one of them everything is allowed, in the other all but what setns(2) takes.
const (
	wide   = "airlock-test-wide"
	narrow = "airlock-test-narrow"

	profiles = `
profile ` + wide + ` flags=(attach_disconnected) {
	file, network, capability, mount, umount, remount, pivot_root, ptrace, signal, unix,
}
profile ` + narrow + ` flags=(attach_disconnected) {
	file, network, capability, mount, umount, remount, pivot_root, ptrace, signal, unix,
	deny capability sys_admin,
}
`
)

// confined starts the command by the plan, with a profile from its execution on.
func confined(t *testing.T, profile string, plan cnsenter.Plan, cmd *exec.Cmd) error {
	t.Helper()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the profile is for what the thread executes next
		file, err := os.OpenFile("/proc/thread-self/attr/apparmor/exec", os.O_WRONLY, 0)
		if err == nil {
			_, err = file.WriteString("exec " + profile)
			file.Close()
		}
		if err == nil {
			err = plan.Start(cmd)
		}
		failed <- err
	}()
	return <-failed
}

func TestConfinedByAppArmor(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.LSM("apparmor"), fixture.Program("apparmor_parser"))
	parser := func(action string) {
		cmd := exec.Command("apparmor_parser", "--skip-cache", action)
		cmd.Stdin = strings.NewReader(profiles)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	parser("--replace")
	defer parser("--remove")
	target := fixture.New(t, fixture.Spec{
		User: true, Mount: true, PID: true, Net: true, UTS: true, Hostname: "inside", Files: map[string]string{"/mnt/planted": "seed"},
	})
	plan := append(open(t, target, ns.User|ns.Mount|ns.PID|ns.Net|ns.UTS), ids()...)

	t.Run("allowed", func(t *testing.T) {
		cmd, out := command("look")
		require.NoError(t, confined(t, wide, plan, cmd))
		require.NoError(t, cmd.Wait())
		var s sight
		require.NoError(t, json.Unmarshal(out.Bytes(), &s), out.String())
		require.Equal(t, wide+" (enforce)\n", s.Label, "what it is confined by goes with it")
		require.Equal(t, "inside", s.Hostname)
		require.Equal(t, "seed", s.File)
	})
	t.Run("refused", func(t *testing.T) {
		cmd, out := command("look")
		err := confined(t, narrow, plan, cmd)
		var e *cnsenter.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, e, unix.EPERM)
		require.Equal(t, cnsenter.OpJoin, e.Op)
		require.Empty(t, out.String(), "main ran")
	})
}
