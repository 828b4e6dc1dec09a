// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

func main() {
	cc := flag.String("cc", "cc", "the C compiler")
	flag.Parse()
	if err := run(*cc); err != nil {
		fmt.Fprintln(os.Stderr, "valgrind:", err)
		os.Exit(1)
	}
}

func run(cc string) (err error) {
	dir, err := os.MkdirTemp("", "airlock-valgrind-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := build(cc, dir)
	if err != nil {
		return err
	}
	target, err := fixture.Start(fixture.Spec{
		User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true, Time: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	h, err := handles(target)
	if err != nil {
		return err
	}
	defer h.close()

	for _, c := range cases(h) {
		if err := c.run(program); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Println("ok", c.name)
	}
	value := "mnt=" + target.NS("mnt") + ",user=" + target.NS("user") + ",pid=" + target.NS("pid")
	if err := joins(program, value); err != nil {
		return fmt.Errorf("AIRLOCK_JOIN: %w", err)
	}
	fmt.Println("ok AIRLOCK_JOIN")
	return nil
}

// build compiles the constructor into a program without Go.
func build(cc, dir string) (program string, err error) {
	args := []string{"-g", "-O1", "-o", filepath.Join(dir, "plain"), "internal/valgrind/plain/main.c"}
	for _, pattern := range []string{"cnsenter/internal/constructor/*.c", "cnsenter/atstart/*.c"} {
		files, err := filepath.Glob(pattern)
		if err != nil || files == nil {
			return "", fmt.Errorf("%s: no files here: run it in the module's root: %w", pattern, err)
		}
		args = append(args, files...)
	}
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cc, err, out)
	}
	return filepath.Join(dir, "plain"), nil
}

// command returns the program under valgrind, which ends with status 99 if it finds an error, and says nothing if it finds none.
func command(program string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	cmd = exec.Command("valgrind", "--quiet", "--vgdb=no", "--error-exitcode=99", "--track-origins=yes", program)
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// run starts the program by the plan, and has both end as the case says.
func (c testCase) run(program string) error {
	cmd, stdout, stderr := command(program)
	err := c.plan.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if stderr.Len() > 0 {
		return fmt.Errorf("%v\n%s", err, stderr)
	}
	if c.fails != nil {
		if !errors.Is(err, c.fails) || stdout.Len() > 0 {
			return fmt.Errorf("%v, not %w; output %q", err, c.fails, stdout)
		}
		return nil
	}
	if err != nil || stdout.String() != c.says {
		return fmt.Errorf("%v; output %q, not %q", err, stdout, c.says)
	}
	return nil
}

// joins has the program choose its namespaces itself.
func joins(program, value string) error {
	cmd, stdout, stderr := command(program)
	cmd.Env = append(os.Environ(), "AIRLOCK_JOIN="+value)
	if err := cmd.Run(); err != nil || stderr.Len() > 0 || !strings.HasPrefix(stdout.String(), "main") {
		return fmt.Errorf("%v; output %q\n%s", err, stdout, stderr)
	}
	return nil
}

// opened are the target's namespaces, each by itself and all by a pidfd.
type opened struct {
	pidfd *os.File
	each  map[ns.Type]*ns.Handle
	ours  *ns.Handle // a namespace out of reach from inside
}

func handles(target *fixture.Target) (*opened, error) {
	o := &opened{each: map[ns.Type]*ns.Handle{}}
	fd, err := unix.PidfdOpen(target.PID, 0)
	if err != nil {
		return nil, err
	}
	o.pidfd = os.NewFile(uintptr(fd), "pidfd")
	if o.ours, err = ns.Current(ns.UTS); err != nil {
		o.close()
		return nil, err
	}
	for t := range ns.All.Each() {
		if o.each[t], err = ns.OpenPID(target.PID, t); err != nil {
			o.close()
			return nil, err
		}
	}
	return o, nil
}

func (o *opened) close() {
	for _, h := range o.each {
		if h != nil {
			h.Close()
		}
	}
	if o.ours != nil {
		o.ours.Close()
	}
	o.pidfd.Close()
}
