// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// TestSeccomp holds what the profile refuses against what the same capabilities allow without it: TestDaemonSet shows that it refuses
// nothing that is needed.
func TestSeccomp(t *testing.T) {
	fixture.Need(t, fixture.Runc)
	for name, args := range map[string][]string{
		"mount":   {"/bin/mount", "-t", "tmpfs", "none", "/tmp"},
		"unshare": {"/bin/unshare", "-m", "/bin/true"},
		"mkdir":   {"/bin/mkdir", "/tmp/new"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, podSpec(t), map[string]string{"/run/containerd": t.TempDir()})
			busybox, err := exec.LookPath("busybox")
			require.NoError(t, err)
			copyFile(t, busybox, filepath.Join(b.dir, "rootfs", args[0]))
			copyFile(t, busybox, filepath.Join(b.dir, "rootfs/bin/true"))
			b.config.Root.Readonly = false
			b.config.Process.Args = args
			require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "rootfs/tmp"), 0o755))
			out, err := b.run(t)
			require.Error(t, err)
			require.Regexp(t, "Operation not permitted|permission denied", out)
			b.config.Linux.Seccomp = nil
			out, err = b.run(t)
			require.NoError(t, err, out)
		})
	}
}

func TestSeccompNames(t *testing.T) {
	var names []string
	for _, rule := range seccompProfile(t).Syscalls {
		names = append(names, rule.Names...)
	}
	require.InDelta(t, 120, len(names), 5, "what README.md says")
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), len(names), "none is there twice")
	for _, name := range []string{
		"mount", "umount2", "move_mount", "open_tree", "ptrace", "bpf", "open_by_handle_at", "process_vm_readv", "perf_event_open",
		"init_module", "finit_module", "kexec_load", "keyctl", "mkdirat", "mknodat", "renameat2", "unlinkat", "linkat", "symlinkat", "fchownat",
	} {
		require.NotContains(t, names, name)
	}
}
