// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

const listed = 500

// prepareList is a list of all namespaces, among them 500 with a process each: the sort that lsns(8) sees too.
func prepareList(*fixture.Container) (_ *work, err error) {
	var sets []*ns.Set
	end := func() (err error) {
		for _, set := range sets {
			err = errors.Join(err, set.Close())
		}
		return err
	}
	for range listed {
		set, err := ns.New(ns.Spec{Types: ns.PID})
		if err != nil {
			return nil, errors.Join(err, end())
		}
		sets = append(sets, set)
	}
	w := &work{most: 50, close: end, ours: func() error {
		n := 0
		for _, err := range ns.List(context.Background()) {
			if err != nil {
				return err
			}
			n++
		}
		return enough(n)
	}}
	lsns, err := exec.LookPath("lsns")
	if err != nil {
		w.absent = "lsns is not installed"
		return w, nil
	}
	w.peer = func() error {
		out, err := exec.Command(lsns, "-n", "-l", "-o", "NS,TYPE,NPROCS,PID,PNS,ONS,COMMAND").Output()
		return errors.Join(err, enough(bytes.Count(out, []byte("\n"))))
	}
	return w, nil
}

func enough(n int) error {
	if n < listed {
		return fmt.Errorf("found %d namespaces, %d are there", n, listed)
	}
	return nil
}
