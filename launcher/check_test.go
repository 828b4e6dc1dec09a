// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package launcher_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestCheckWhatWorks(t *testing.T) {
	for name, spec := range map[string]fixture.Spec{
		"own user namespace":       {User: true, Mount: true, PID: true, Net: true, UTS: true},
		"own user namespace alone": {User: true},
	} {
		t.Run(name, func(t *testing.T) {
			made := fixture.New(t, spec)
			target, err := launcher.PID(made.PID, ns.All)
			require.NoError(t, err)
			defer target.Close()
			require.NoError(t, target.Check())
			run(t, target)
		})
	}
	own, err := launcher.PID(os.Getpid(), ns.All)
	require.NoError(t, err)
	defer own.Close()
	require.NoError(t, own.Check())
}

// Whoever made a user namespace has all power over what it owns, and yet enters that only by way of it.
func TestCheckWithoutTheUserNamespace(t *testing.T) {
	made := fixture.New(t, fixture.Spec{User: true, UTS: true})
	target, err := launcher.PID(made.PID, ns.UTS)
	require.NoError(t, err)
	defer target.Close()
	if fixture.Root.Unmet() == nil {
		require.NoError(t, target.Check())
		return
	}
	ours, err := ns.Current(ns.User)
	require.NoError(t, err)
	defer ours.Close()
	require.ErrorContains(t, target.Check(), "to enter uts takes CAP_SYS_ADMIN in "+ours.String())
	require.ErrorIs(t, target.Start(exec.Command("/proc/self/exe")), unix.EPERM)
}

// What Check says of namespaces that somebody else owns is what the kernel says of them.
func TestCheckAsAnotherUser(t *testing.T) {
	fixture.Need(t, fixture.Root)
	foreign := fixture.New(t, fixture.Spec{Net: true, Mount: true})
	for name, c := range map[string]struct {
		drop []string
		says string
	}{
		"an ordinary user": {
			[]string{"--reuid", "12345", "--clear-groups", "--inh-caps=-all"},
			"launcher: check net:[", // of the handles; a pid could not be looked at
		},
		"root without CAP_SYS_ADMIN":  {[]string{"--bounding-set=-sys_admin", "--inh-caps=-all"}, "takes CAP_SYS_ADMIN in user:["},
		"root without CAP_SYS_CHROOT": {[]string{"--bounding-set=-sys_chroot", "--inh-caps=-all"}, "to enter mnt takes CAP_SYS_CHROOT in user:["},
	} {
		t.Run(name, func(t *testing.T) {
			fixture.Need(t, fixture.Program("setpriv"))
			files := make([]*os.File, 2)
			for i, typ := range []ns.Type{ns.Net, ns.Mount} {
				h, err := ns.OpenPID(foreign.PID, typ)
				require.NoError(t, err)
				defer h.Close()
				files[i] = h.File()
			}
			exe, err := os.Open("/proc/self/exe")
			require.NoError(t, err)
			defer exe.Close()
			cmd := exec.Command("setpriv", append(c.drop, "/proc/self/fd/5")...)
			cmd.ExtraFiles = append(files, exe)
			cmd.Env = append(os.Environ(), probeVariable+"=check", "GORACE=atexit_sleep_ms=0")
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			require.NoError(t, err)
			var got verdict
			require.NoError(t, json.Unmarshal(out, &got))
			require.Contains(t, got.Check, c.says)
			require.Contains(t, got.Check, "CAP_SYS_")
			require.True(t, got.Refused, "Start: %s", got.Start)
		})
	}
}

// verdict is what Check and Start say to a process that has lost privileges.
type verdict struct {
	Check, Start string
	Refused      bool
}

func check() verdict {
	var handles []*ns.Handle
	for _, fd := range []uintptr{3, 4} {
		h, err := ns.FromFile(os.NewFile(fd, "inherited"))
		if err != nil {
			return verdict{Check: err.Error()}
		}
		handles = append(handles, h)
	}
	target := launcher.Handles(handles...)
	check := target.Check()
	start := target.Start(exec.Command("/proc/self/exe"))
	v := verdict{Refused: errors.Is(check, unix.EPERM) && errors.Is(start, unix.EPERM)}
	if check != nil {
		v.Check = check.Error()
	}
	if start != nil {
		v.Start = start.Error()
	}
	return v
}
