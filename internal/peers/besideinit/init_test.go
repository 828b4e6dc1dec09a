// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package besideinit

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

type seen struct {
	Hostname string
	Called   int
}

var look = reexec.Register("look", func(context.Context, struct{}) (seen, error) {
	name, err := os.Hostname()
	return seen{name, initCalled()}, err
})

func TestMain(m *testing.M) {
	reexec.Init()
	fixture.Main(m)
}

func TestBothConstructorsRun(t *testing.T) {
	require.Equal(t, 1, initCalled())
	target := fixture.New(t, fixture.Spec{UTS: true, Hostname: "beside"})
	in, err := launcher.PID(target.PID, ns.All)
	require.NoError(t, err)
	defer in.Close()
	got, err := look.Call(t.Context(), reexec.In(in), struct{}{})
	require.NoError(t, err)
	require.Equal(t, seen{"beside", 1}, got)
}
