// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// TestInUserNamespace runs all other tests of this package as an ordinary user that is root in a user
// namespace of its own, and nobody outside.
func TestInUserNamespace(t *testing.T) {
	const inside = "AIRLOCK_NS_TEST_INSIDE"
	if os.Getenv(inside) != "" {
		return
	}
	fixture.Need(t, fixture.UserNS)
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		uid, gid = 65534, 65534
	}
	cmd := exec.Command("/proc/self/exe", "-test.v="+verbose(), "-test.timeout=5m")
	cmd.Env = append(os.Environ(), inside+"=yes", "TMPDIR=/tmp")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWCGROUP,
		UidMappings: []syscall.SysProcIDMap{{HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: gid, Size: 1}},
		Credential:  &syscall.Credential{NoSetGroups: true},
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

func verbose() string {
	if testing.Verbose() {
		return "true"
	}
	return "false"
}
