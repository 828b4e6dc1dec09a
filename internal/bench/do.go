// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	cni "github.com/containernetworking/plugins/pkg/ns"
	gonsreexec "github.com/thediveo/gons/reexec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

const plantedFile = "/planted"

func init() {
	gonsreexec.Register("read", func() {
		data, err := os.ReadFile(plantedFile)
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(string(data))
		}
		if err != nil {
			panic(err)
		}
	})
}

// prepareDoNet is a visit to a network namespace that both sides hold open, to do nothing there.
func prepareDoNet(box *fixture.Container) (*work, error) {
	h, err := ns.Open(box.NS("net"))
	if err != nil {
		return nil, err
	}
	netns, err := cni.GetNS(box.NS("net"))
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return &work{
		ours:  func() error { return ns.Do(func() error { return nil }, h) },
		peer:  func() error { return netns.Do(func(cni.NetNS) error { return nil }) },
		close: func() error { return errors.Join(h.Close(), netns.Close()) },
	}, nil
}

// mountBatch is how many visits follow one another between two of the peer's processes, see warmBatch.
const mountBatch = 20

// prepareDoMount is a visit to a mount namespace to read a small file.
func prepareDoMount(box *fixture.Container) (*work, error) {
	h, err := ns.Open(box.NS("mnt"))
	if err != nil {
		return nil, err
	}
	want := box.Spec.Files[plantedFile]
	visit := func() error {
		got, err := os.ReadFile(plantedFile)
		if err != nil {
			return err
		}
		return expect(string(got), want)
	}
	return &work{
		ours: func() error {
			for range mountBatch {
				if err := ns.Do(visit, h); err != nil {
					return err
				}
			}
			return nil
		},
		batch: mountBatch,
		note:  fmt.Sprintf("the mean of %d visits in a row", mountBatch),
		peer: func() error {
			var got string
			if err := gonsreexec.RunReexecAction("read", gonsIn(box, []string{"mnt"}), gonsreexec.Result(&got)); err != nil {
				return err
			}
			return expect(got, want)
		},
		close: h.Close,
	}, nil
}
