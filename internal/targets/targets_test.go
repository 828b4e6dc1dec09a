// SPDX-License-Identifier: Apache-2.0

//go:build linux

package targets_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

func TestMain(m *testing.M) {
	reexec.Init()
	if os.Getenv(locateVariable) != "" {
		printWhereabouts()
	}
	fixture.Main(m)
}

const plantedFile = "/planted"

type starter func(testing.TB, fixture.ContainerSpec) *fixture.Container

// containers are all the kinds of container that are entered.
var containers = map[string]starter{
	"runc":          fixture.RuncContainer,
	"runc/user":     withUserNS(fixture.RuncContainer),
	"docker":        fixture.DockerContainer,
	"podman":        fixture.PodmanContainer,
	"podman/uidmap": withUserNS(fixture.PodmanContainer),
}

func withUserNS(start starter) starter {
	return func(t testing.TB, s fixture.ContainerSpec) *fixture.Container {
		s.UserNS = true
		return start(t, s)
	}
}

func TestFunctionSeesWhatNsenterSees(t *testing.T) {
	for name, start := range containers {
		t.Run(name, func(t *testing.T) {
			fixture.Need(t, fixture.Cgo, fixture.Program("nsenter"))
			seed := fmt.Sprintf("seed-%d", time.Now().UnixNano())
			c := start(t, fixture.ContainerSpec{Hostname: "inside", Files: map[string]string{plantedFile: seed}})
			target, err := launcher.PID(c.PID, ns.All)
			require.NoError(t, err)
			defer target.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()

			got, err := look.Call(ctx, reexec.In(target), false)
			require.NoError(t, err)
			want := nsenterView(ctx, t, c.PID)
			require.NotEqual(t, os.Getpid(), got.PID)
			require.NotEqual(t, want.PID, got.PID)
			got.PID = want.PID // no two processes have the same; see below
			require.Equal(t, want, got)
			require.Equal(t, "inside", got.Hostname)
			require.Equal(t, seed, got.Planted)
			require.Equal(t, []string{"1 sleep"}, got.Processes)
			require.Equal(t, []string{"lo"}, got.Interfaces)
		})
	}
}

func TestNsenterSeesTheFunction(t *testing.T) {
	for name, start := range containers {
		t.Run(name, func(t *testing.T) {
			fixture.Need(t, fixture.Cgo, fixture.Program("nsenter"))
			c := start(t, fixture.ContainerSpec{Files: map[string]string{plantedFile: "seed"}})
			target, err := launcher.PID(c.PID, ns.All)
			require.NoError(t, err)
			defer target.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			nsenter(ctx, t, c.PID, "mkfifo "+pidFIFO+" "+holdFIFO)

			type outcome struct {
				view
				error
			}
			done := make(chan outcome, 1)
			go func() {
				v, err := look.Call(ctx, reexec.In(target), true)
				if err != nil {
					cancel() // nsenter would wait for it in vain
				}
				done <- outcome{v, err}
			}()
			pid, err := strconv.Atoi(nsenter(ctx, t, c.PID, "cat "+pidFIFO))
			require.NoError(t, err)
			during := nsenterView(ctx, t, c.PID)
			nsenter(ctx, t, c.PID, "echo >"+holdFIFO)
			got := <-done
			require.NoError(t, got.error)
			require.Equal(t, pid, got.PID)
			pids := []int{}
			for _, p := range during.Processes {
				var pid int
				_, err := fmt.Sscan(p, &pid)
				require.NoError(t, err)
				pids = append(pids, pid)
			}
			require.ElementsMatch(t, []int{1, pid}, pids)
			after := nsenterView(ctx, t, c.PID)
			require.Equal(t, []string{"1 sleep"}, after.Processes)
		})
	}
}
