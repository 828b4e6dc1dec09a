// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

// boxTypes are the namespaces that rows enter which any peer can enter.
var boxTypes = []string{"mnt", "net", "uts", "ipc"}

var hostname = reexec.Register("hostname", func(context.Context, struct{}) (string, error) { return os.Hostname() })

func init() {
	gonsreexec.Register("hostname", func() {
		name, err := os.Hostname()
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(name)
		}
		if err != nil {
			panic(err)
		}
	})
}

// prepareCall is a function call in a fresh process inside the namespaces.
func prepareCall(types []string) func(*fixture.Container) (*work, error) {
	return func(box *fixture.Container) (*work, error) {
		set, err := ns.ParseType(strings.Join(types, ","))
		if err != nil {
			return nil, err
		}
		return &work{
			ours: func() error {
				target, err := launcher.PID(box.PID, set)
				if err != nil {
					return err
				}
				defer target.Close()
				got, err := hostname.Call(context.Background(), reexec.In(target), struct{}{})
				if err != nil {
					return err
				}
				return expect(got, box.Spec.Hostname)
			},
			peer: func() error {
				var got string
				if err := gonsreexec.RunReexecAction("hostname", gonsIn(box, types), gonsreexec.Result(&got)); err != nil {
					return err
				}
				return expect(got, box.Spec.Hostname)
			},
		}, nil
	}
}

// gonsIn names the namespaces to gons; the "!" has them all opened before the first is entered.
func gonsIn(box *fixture.Container, types []string) gonsreexec.ReexecActionOption {
	var list []gonsreexec.Namespace
	for _, t := range types {
		list = append(list, gonsreexec.Namespace{Type: "!" + t, Path: box.NS(t)})
	}
	return gonsreexec.Namespaces(list)
}

func expect(got, want string) error {
	if got != want {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}
