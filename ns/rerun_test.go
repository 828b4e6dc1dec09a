// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/ns"
)

// roleVariable names what a copy of the test program does instead of running tests.
const roleVariable = "AIRLOCK_NS_TEST_ROLE"

// rerun runs a role in a copy of this program, and returns what it prints.
func rerun(role string) ([]byte, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd.CombinedOutput()
}

func init() {
	if os.Getenv(roleVariable) != "" {
		runtime.LockOSThread() // main runs on the main thread, and nothing else does
	}
}

// play plays a role in a copy of this program, on the main thread.
func play(role string) {
	var err error
	switch role {
	case "TestLxknsFault_GoFromMainLeavesMainThread":
		err = visitFromMainThread()
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func visitFromMainThread() error {
	if unix.Gettid() != unix.Getpid() {
		return fmt.Errorf("not on the main thread")
	}
	before, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	set, err := ns.New(ns.Spec{Types: ns.Net | ns.Mount})
	if err != nil {
		return err
	}
	defer set.Close()
	for _, h := range set.Handles() {
		during, err := ns.Call(func() (string, error) { return os.Readlink("/proc/self/ns/net") }, h)
		if err != nil || during != before {
			return fmt.Errorf("during: %s, %w", during, err)
		}
	}
	inside, err := ns.Call(func() (string, error) { return os.Readlink("/proc/thread-self/ns/net") }, set.Handle(ns.Net))
	if err != nil || inside != set.Handle(ns.Net).String() {
		return fmt.Errorf("inside: %s, %w", inside, err)
	}
	// A caller that is locked to the main thread means it.
	if err := ns.Enter(set.Handle(ns.Net)); err != nil {
		return err
	}
	if now, err := os.Readlink("/proc/self/ns/net"); err != nil || now != inside {
		return fmt.Errorf("after Enter: %s, %w", now, err)
	}
	fmt.Println("inside and back")
	return nil
}
