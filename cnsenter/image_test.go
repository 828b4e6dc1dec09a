// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter_test

import (
	"encoding/json"
	"testing"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestJoiningAUserNamespaceStartsFromASealedCopy(t *testing.T) {
	require.NoError(t, cnsenter.Seal())
	s := run(t, append(open(t, every(t), everyType), ids()...))
	require.Equal(t, "/memfd:airlock (deleted)", s.Image)
	require.EqualValues(t, 0o511, s.ImageMode)
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	require.Equal(t, seals, s.ImageSeals&seals)
}

// Executed by a descriptor, the process would be called by its number.
func TestProcessIsNamedAfterItsFirstArgument(t *testing.T) {
	cmd, out := command("look")
	cmd.Args = []string{"/some/where/airlock-name"}
	require.NoError(t, cnsenter.Plan{cnsenter.Setsid()}.Start(cmd))
	require.NoError(t, cmd.Wait())
	var s sight
	require.NoError(t, json.Unmarshal(out.Bytes(), &s))
	require.Equal(t, "airlock-name", s.Status["Name"])
}
