// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAccounts(t *testing.T) {
	files, dir := plant(t)
	require.NoError(t, os.WriteFile(dir+"/etc/passwd", []byte("# none\nroot:x:0:0::/root:/bin/bash\nguest:x:1000:100::/home/guest:\n"), 0o644))
	require.NoError(t, os.WriteFile(dir+"/etc/group", []byte("staff:x:50:guest,other\nwheel:x:10:guest\nusers:x:100:\n"), 0o644))
	for spec, want := range map[string]account{
		"guest":       {uid: 1000, gid: 100, groups: []int{50, 10}},
		"1000":        {uid: 1000, gid: 100, groups: []int{50, 10}},
		"guest:staff": {uid: 1000, gid: 50, groups: []int{}},
		"guest:7":     {uid: 1000, gid: 7, groups: []int{}},
		"root":        {uid: 0, gid: 0, groups: []int{}},
		"5":           {uid: 5, gid: 5, groups: []int{}},
		"5:wheel":     {uid: 5, gid: 10, groups: []int{}},
	} {
		who, err := lookUp(files, spec)
		require.NoError(t, err, spec)
		want.entry = who.entry
		require.Equal(t, want, *who, spec)
	}
	who, err := lookUp(files, "guest")
	require.NoError(t, err)
	require.Equal(t, []string{"USER=guest", "LOGNAME=guest", "HOME=/home/guest"}, who.variables())
	who, err = lookUp(files, "5")
	require.NoError(t, err)
	require.Empty(t, who.variables())

	for spec, says := range map[string]string{
		"nobody": "unable to find user nobody", "guest:nobody": "unable to find group nobody", ":staff": "no user", "-1": "-1",
		"4294967296": "4294967296",
	} {
		_, err := lookUp(files, spec)
		require.ErrorContains(t, err, says, spec)
	}

	// Numbers do without files.
	empty, _ := plant(t)
	who, err = lookUp(empty, "5:6")
	require.NoError(t, err)
	require.Equal(t, 6, who.gid)
	_, err = lookUp(empty, "guest")
	require.ErrorContains(t, err, "unable to find user guest")
}
