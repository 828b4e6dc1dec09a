// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package launcher_test

import (
	"strconv"
	"testing"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// FuzzParse gives a target with no other types than were asked for, or a typed error that names the reference.
func FuzzParse(f *testing.F) {
	f.Add("1", uint32(ns.All))
	f.Add("-9223372036854775809", uint32(ns.Net))
	f.Add("proc/self/ns/net", uint32(ns.Net|ns.UTS))
	f.Add("\x00/", uint32(1))
	f.Add("dev/../proc/thread-self/ns/./mnt", uint32(0))
	f.Fuzz(func(t *testing.T, ref string, bits uint32) {
		var named string
		if pid, err := strconv.Atoi(ref); err == nil {
			named = "pid " + strconv.Itoa(pid)
		} else {
			ref = "/" + ref // what is neither a pid nor a path may be a name, which others would be asked about
			named = ref
		}
		target, err := launcher.Parse(t.Context(), ref, ns.Type(bits))
		if err != nil {
			var e *launcher.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, named, e.Ref)
			return
		}
		require.Zero(t, target.Types()&^ns.Type(bits))
		require.NoError(t, target.Close())
	})
}
