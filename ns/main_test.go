// SPDX-License-Identifier: Apache-2.0

package ns_test

import (
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
)

func TestMain(m *testing.M) { fixture.Main(m) }
