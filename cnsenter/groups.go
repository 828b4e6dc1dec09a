// SPDX-License-Identifier: Apache-2.0

package cnsenter

import "encoding/binary"

// groups returns the ids as setgroups(2) wants them.
func groups(gids []int) string {
	b := make([]byte, 0, 4*len(gids))
	for _, gid := range gids {
		b = binary.NativeEndian.AppendUint32(b, uint32(gid))
	}
	return string(b)
}
