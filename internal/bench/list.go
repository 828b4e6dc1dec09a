// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

const listed = 500

// prepareList is a list of all namespaces, among them 500 with a process each: the sort that lsns(8) sees too.
func prepareList(*fixture.Container) (*work, error) {
	return beside("lsns", []string{"-n", "-l", "-o", "NS,TYPE,NPROCS,PID,PNS,ONS,COMMAND"}, func() error {
		n := 0
		for _, err := range ns.List(context.Background()) {
			if err != nil {
				return err
			}
			n++
		}
		return enough(n)
	})
}

// prepareListing is "airlock ls" beside lsns, with the same namespaces.
func prepareListing(*fixture.Container) (*work, error) {
	dir, err := os.MkdirTemp("", "airlock-ls-")
	if err != nil {
		return nil, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	airlock := filepath.Join(dir, "airlock")
	note, err := buildAirlock(airlock)
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	w, err := beside("lsns", []string{"-n"}, func() error { return lines(airlock, "ls", "-n") })
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	end := w.close
	w.note, w.close = note, func() error { return errors.Join(end(), remove()) }
	return w, nil
}

// beside makes the namespaces, and is the work to list them, by us and by a program.
func beside(program string, arguments []string, ours func() error) (*work, error) {
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
	w := &work{most: 50, close: end, ours: ours}
	path, err := exec.LookPath(program)
	if err != nil {
		w.absent = program + " is not installed"
		return w, nil
	}
	w.peer = func() error { return lines(path, arguments...) }
	return w, nil
}

// lines runs a program that prints a line for each namespace.
func lines(program string, arguments ...string) error {
	out, err := exec.Command(program, arguments...).Output()
	return errors.Join(err, enough(bytes.Count(out, []byte("\n"))))
}

func enough(n int) error {
	if n < listed {
		return fmt.Errorf("found %d namespaces, %d are there", n, listed)
	}
	return nil
}
