// SPDX-License-Identifier: Apache-2.0

package reexec_test

import (
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	fixture.Main(m)
}
