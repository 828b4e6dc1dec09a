// SPDX-License-Identifier: Apache-2.0

package ns_test

import (
	"flag"
	"os"
	"testing"

	"github.com/airlock-ns/airlock/internal/fixture"
)

// TestMain leaves out the examples that need privilege where there is none: an example has no way to ask
// the fixture. TestInUserNamespace runs them for an ordinary user.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role)
		return
	}
	flag.Parse()
	if fixture.Root.Unmet() != nil && flag.Lookup("test.skip").Value.String() == "" {
		if err := flag.Set("test.skip", "^Example"); err != nil {
			panic(err)
		}
	}
	fixture.Main(m)
}
