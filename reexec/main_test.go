// SPDX-License-Identifier: Apache-2.0

package reexec_test

import (
	"os"
	"testing"

	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	os.Exit(m.Run())
}
