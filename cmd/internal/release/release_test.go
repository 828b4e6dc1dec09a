// SPDX-License-Identifier: Apache-2.0

package release

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	installed := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}
	require.Equal(t, "v0.2.0", choose("v0.2.0", installed))
	require.Equal(t, "v0.1.0", choose("", installed))
	require.Equal(t, "(devel)", choose("", &debug.BuildInfo{}))
	require.Equal(t, "(devel)", choose("", nil))
}
