// SPDX-License-Identifier: Apache-2.0

package ns_test

import (
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/ns"
)

func TestTypeText(t *testing.T) {
	for text, want := range map[string]ns.Type{
		"net": ns.Net, "network": ns.Net, "mnt": ns.Mount, "mount": ns.Mount, "all": ns.All,
		"user,pid": ns.User | ns.PID, "pid,pid": ns.PID,
		"cgroup,ipc,mnt,net,pid,time,user,uts": ns.All,
	} {
		got, err := ns.ParseType(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		again, err := ns.ParseType(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, text := range []string{"", "none", "net,", "NET", "net pid", "pid_for_children"} {
		_, err := ns.ParseType(text)
		require.ErrorContains(t, err, "ns: parse type", text)
	}
	require.Equal(t, "none", ns.Type(0).String())
	require.Equal(t, "net,0x1", (ns.Net | 1).String())
	require.Equal(t, 8, ns.All.Len())
	require.True(t, ns.All.Has(ns.Net|ns.UTS))
	require.False(t, ns.Net.Has(ns.Net|ns.UTS))
	require.Len(t, slices.Collect(ns.All.Each()), 8)

	b, err := json.Marshal(map[string]ns.Type{"t": ns.Net | ns.UTS})
	require.NoError(t, err)
	require.JSONEq(t, `{"t":"net,uts"}`, string(b))
	for _, typ := range []ns.Type{0, ns.Net, ns.All} {
		b, err := json.Marshal(typ)
		require.NoError(t, err)
		var back ns.Type
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, typ, back)
	}
	require.Error(t, new(ns.Type).UnmarshalText([]byte("nett")))
}

func TestParseIDRefuses(t *testing.T) {
	for _, text := range []string{
		"", "net", "net:", "net:[]", "net:[0]", "net:[-1]", "net:[1", "net:1]", "network:[1]", "all:[1]",
		"net:[18446744073709551616]", "socket:[1]", " net:[1]", "net:[1] ",
	} {
		id, typ, err := ns.ParseID(text)
		require.Error(t, err, text)
		require.Zero(t, id)
		require.True(t, id.IsZero())
		require.Zero(t, typ)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("net:[4026531840]")
	f.Add("net:[")
	f.Fuzz(func(t *testing.T, s string) {
		id, typ, err := ns.ParseID(s)
		if err == nil {
			again, typ2, err := ns.ParseID(typ.String() + ":[" + id.String() + "]")
			require.NoError(t, err)
			require.Equal(t, id, again)
			require.Equal(t, typ, typ2)
		}
	})
}

func FuzzParseType(f *testing.F) {
	f.Add("net,mount,all")
	f.Add("none")
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := ns.ParseType(s)
		var unmarshalled ns.Type
		require.Equal(t, err == nil || s == "none", unmarshalled.UnmarshalText([]byte(s)) == nil)
		require.Equal(t, typ, unmarshalled)
		if err == nil {
			require.NotZero(t, typ)
			require.Zero(t, typ&^ns.All)
			again, err := ns.ParseType(typ.String())
			require.NoError(t, err)
			require.Equal(t, typ, again)
		}
	})
}

// Off Linux everything builds, and says why it does not work.
func TestUnsupportedElsewhere(t *testing.T) {
	if runtime.GOOS == "linux" {
		return
	}
	for _, err := range []error{
		second(ns.Open("/x")), second(ns.OpenPID(1, ns.Net)), second(ns.Current(ns.Net)), second(ns.New(ns.Spec{})),
		ns.Do(func() error { return nil }), ns.Enter(), ns.Unpin("/x"), second(ns.FromFile(os.Stdin)),
	} {
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

func second[T any](_ T, err error) error { return err }
