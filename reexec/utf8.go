// SPDX-License-Identifier: Apache-2.0

package reexec

import "bytes"

// replaced reports whether encoding/json has put the escape \ufffd for a byte that is no UTF-8. A replacement character that
// is in the string itself is written as it is, not as an escape, so the two can be told apart.
func replaced(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		slashes := 0
		for i-slashes > 0 && b[i-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return true
		}
		b = b[i+1:]
	}
}
