// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

// Victim starts processes inside a target, over and over or once, and is killed while it does, or they are. The tests of the
// promises build it with the tag airlock_pause.
//
//	victim MODE PID [once]
//
// With once it prints how its one start ended, as an outcome in JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

var hostname = reexec.Register("hostname", func(context.Context, struct{}) (string, error) { return os.Hostname() })

// outcome is how a start ended.
type outcome struct {
	Err   string
	Stage string // of a *reexec.Error
	Op    string // of a *cnsenter.Error
	Took  time.Duration
}

func main() {
	reexec.Init()
	if err := run(os.Args[1], os.Args[2], len(os.Args) > 3); err != nil {
		fmt.Fprintln(os.Stderr, "victim:", err)
		os.Exit(1)
	}
}

func run(mode, pid string, once bool) error {
	number, err := strconv.Atoi(pid)
	if err != nil {
		return err
	}
	target, err := launcher.PID(number, ns.All)
	if err != nil {
		return err
	}
	defer target.Close()
	start, err := starter(mode, number, target)
	if err != nil {
		return err
	}
	for {
		began := time.Now()
		err := start()
		if once {
			return report(err, time.Since(began))
		}
		if err != nil {
			return err
		}
	}
}

// starter returns what the mode does with the target.
func starter(mode string, pid int, target *launcher.Target) (func() error, error) {
	call := func(on reexec.Runner) func() error {
		return func() error {
			_, err := hostname.Call(context.Background(), on, struct{}{})
			return err
		}
	}
	switch mode {
	case "call":
		return call(reexec.In(target)), nil
	case "warm":
		return call(new(reexec.Pool).On(0, target)), nil
	case "relay":
		plan, err := target.Plan()
		return call(reexec.In(plan)), err
	case "handles": // each by itself
		var handles []*ns.Handle
		for _, t := range []ns.Type{ns.Mount, ns.Net, ns.UTS, ns.IPC, ns.User} {
			h, err := ns.OpenPID(pid, t)
			if err != nil {
				return nil, err
			}
			handles = append(handles, h) // open for as long as this process lives
		}
		return call(reexec.In(launcher.Handles(handles...))), nil
	case "lower": // the root directory is changed by a helper
		plan, err := target.Plan()
		plan = append(plan, cnsenter.SetCaps(cnsenter.Caps{}))
		return call(reexec.In(plan)), err
	case "unshare":
		spec := ns.Spec{Types: ns.User | ns.Mount | ns.PID}
		return call(reexec.In(cnsenter.Plan{cnsenter.Unshare(spec), cnsenter.Fork()})), nil
	case "command":
		return func() error { return launcher.Command(target, "true").Run() }, nil
	case "sleep":
		return func() error { return launcher.Command(target, "sleep", "60").Run() }, nil
	case "sleep without relay":
		without, err := launcher.PID(os.Getppid(), ns.All) // a process in our own namespaces
		return func() error { return launcher.Command(without, "sleep", "60").Run() }, err
	}
	return nil, fmt.Errorf("no mode %q", mode)
}

func report(err error, took time.Duration) error {
	out := outcome{Took: took}
	if err != nil {
		out.Err = err.Error()
	}
	if e := (*reexec.Error)(nil); errors.As(err, &e) {
		out.Stage = string(e.Stage)
	}
	if e := (*cnsenter.Error)(nil); errors.As(err, &e) {
		out.Op = e.Op.String()
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}
