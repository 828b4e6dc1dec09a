// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// plant makes a tree of a directory.
func plant(t *testing.T) (tree, string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(dir+"/etc", 0o755))
	root, err := openDirectory(dir)
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	return tree{root}, dir
}

func TestTreeIsNotLeft(t *testing.T) {
	files, dir := plant(t)
	secret := filepath.Join(filepath.Dir(dir), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/etc/passwd", []byte("inside"), 0o644))
	for name, link := range map[string]string{
		"upwards": "../../../../../../etc/passwd", "absolute": "/etc/passwd", "chain": "upwards",
		"away": "../../secret", "magic": "/proc/self/root/etc/passwd",
	} {
		require.NoError(t, os.Symlink(link, dir+"/etc/"+name))
	}
	for _, name := range []string{"/etc/passwd", "/etc/upwards", "/etc/absolute", "/etc/chain", "/../../etc/passwd"} {
		text, err := files.read(name)
		require.NoError(t, err, name)
		require.Equal(t, "inside", string(text), name)
	}
	for _, name := range []string{"/etc/away", "/etc/magic", "/../secret"} {
		_, err := files.read(name)
		require.ErrorIs(t, err, os.ErrNotExist, name)
	}
}

func TestTreeReadsRegularFilesOnly(t *testing.T) {
	files, dir := plant(t)
	require.NoError(t, unix.Mkfifo(dir+"/etc/passwd", 0o644))
	_, err := files.read("/etc/passwd")
	require.ErrorIs(t, err, unix.EINVAL)
	_, err = files.read("/etc")
	require.ErrorIs(t, err, unix.EINVAL)
	text, err := files.readOptional("/etc/group")
	require.NoError(t, err)
	require.Nil(t, text)
	require.False(t, files.executable("/etc/passwd"))
	require.False(t, files.executable("/etc"))
	require.NoError(t, os.WriteFile(dir+"/run", nil, 0o755))
	require.True(t, files.executable("/run"))
}
