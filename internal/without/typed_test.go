// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

// roleVariable makes a copy of the test binary try something where it cannot be had.
const roleVariable = "AIRLOCK_WITHOUT_ROLE"

// roles return nil if it fails as it should.
var roles = map[string]func() error{
	"command": func() error { // without itself
		os.Args = append([]string{"without"}, os.Args[2:]...)
		return run(os.Args[1:])
	},
	"nothing": func() error { return nil },
	"pidfd_open": func() error {
		_, err := launcher.PID(os.Getpid(), ns.Net)
		return expect[*launcher.Error](err, errors.ErrUnsupported)
	},
	"memfd_create": func() error {
		_, err := ns.New(ns.Spec{Types: ns.User | ns.Net})
		return errors.Join(expect[*ns.Error](err, errors.ErrUnsupported), startsAllTheSame())
	},
	"memfd_noexec": func() error {
		_, err := ns.New(ns.Spec{Types: ns.User | ns.Net})
		return errors.Join(expect[*ns.Error](err, unix.EACCES), startsAllTheSame())
	},
	"max_user_namespaces": func() error {
		_, err := ns.New(ns.Spec{Types: ns.User | ns.Net})
		failed := expect[*ns.Error](err, unix.ENOSPC)
		plan := cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.User})}
		return errors.Join(failed, expect[*cnsenter.Error](plan.Start(self()), unix.ENOSPC))
	},
}

// expect returns nil if err is of the type, and wraps the cause.
func expect[E error](err, cause error) error {
	var typed E
	if !errors.As(err, &typed) || !errors.Is(err, cause) {
		return fmt.Errorf("%w is not a %T for %w", err, typed, cause)
	}
	return nil
}

func self() *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"=nothing")
	return cmd
}

// startsAllTheSame starts a copy of this program into a new user namespace, for which there would be a sealed copy.
func startsAllTheSame() error {
	cmd := self()
	if err := (cnsenter.Plan{cnsenter.Unshare(ns.Spec{Types: ns.User}), cnsenter.SetUID(0)}).Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		if err := role(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	fixture.Main(m)
}

// play has a copy of the test binary play a role: under a shell command that ends in its path.
func play(t *testing.T, role string, command ...string) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(command[0], append(command[1:], exe)...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestPromise28TypedErrors(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, call := range []string{"pidfd_open", "memfd_create"} {
		t.Run(call, func(t *testing.T) {
			fixture.Need(t, fixture.UserNS)
			play(t, call, "env", roleVariable+"=command", exe, "command", call, "env", roleVariable+"="+call)
		})
	}
	t.Run("memfd_noexec", func(t *testing.T) {
		fixture.Need(t, fixture.Root, fixture.Program("unshare"), fixture.KernelFeature("vm.memfd_noexec", func() error {
			_, err := os.Stat("/proc/sys/vm/memfd_noexec")
			return err
		}))
		play(t, "memfd_noexec", "unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", `echo 2 >/proc/sys/vm/memfd_noexec && "$0"`)
	})
	t.Run("max_user_namespaces", func(t *testing.T) {
		fixture.Need(t, fixture.UserNS, fixture.Program("unshare"))
		play(t, "max_user_namespaces", "unshare", "--user", "--map-root-user", "sh", "-c", `echo 0 >/proc/sys/user/max_user_namespaces && exec "$0"`)
	})
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"clone3"}, {"nonsense", "true"}, {"clone3", "/no/such"}} {
		require.Error(t, run(args))
	}
}
