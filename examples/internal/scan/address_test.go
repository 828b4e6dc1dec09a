// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package scan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0016":                         "0.0.0.0:22",
		"00000000000000000000000001000000:0050": "[::1]:80",
		"B80D0120000000000000000001000000:01BB": "[2001:db8::1]:443",
	} {
		got, err := parseAddress(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.String(), text)
	}
	for _, text := range []string{"", "0100007F", "0100:1", "x:1", "0100007F:10000"} {
		_, err := parseAddress(text)
		require.Error(t, err, text)
	}
}
