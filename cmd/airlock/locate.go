// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/airlock-ns/airlock/launcher/container"
	"golang.org/x/sys/unix"
)

// engineProgram asks the engines. It is a program of its own because their clients would make every start of this one four times as
// long.
const engineProgram = "airlock-engine"

// locate finds a container by the engines that may know it, and where they cannot be asked by its id in the host's cgroups.
func locate(ctx context.Context, ref string) (container.Info, error) {
	program, missing := enginePath()
	if missing == nil {
		return askEngine(ctx, program, ref)
	}
	scheme, name, ok := strings.Cut(ref, "://")
	if !ok {
		scheme, name = "", ref
	}
	if id := name[strings.LastIndexByte(name, '/')+1:]; scheme == "" || scheme == "containerd" || container.IsID(id) {
		info, err := container.Find(ctx, id)
		if failed := (*container.Error)(nil); errors.As(err, &failed) {
			err = failed.Err // the caller has the name
		}
		if !errors.Is(err, container.ErrNotFound) {
			return info, err
		}
	}
	return container.Info{}, fmt.Errorf("no container with this id in the host's cgroups, and no engine to ask for a name: %w", missing)
}

// enginePath returns the absolute path of airlock-engine: beside this program, else in $PATH. A program that has more rights than
// whoever has started it, set-user-ID for one, starts nothing that he may have put there.
func enginePath() (string, error) {
	if secure() {
		return "", fmt.Errorf("with more rights than its caller's, this program does not start %s", engineProgram)
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), engineProgram)
		if unix.Access(beside, unix.X_OK) == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(engineProgram)
	if err != nil || !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is neither beside this program nor in $PATH; "+
			"go install github.com/airlock-ns/airlock/cmd/%[1]s@latest installs it", engineProgram)
	}
	return path, nil
}

// secure reports whether the kernel asks for care, AT_SECURE in getauxval(3).
func secure() bool {
	const atSecure = 23
	vector, err := unix.Auxv()
	if err != nil {
		return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid()
	}
	for _, entry := range vector {
		if entry[0] == atSecure {
			return entry[1] != 0
		}
	}
	return false
}

// askEngine runs airlock-engine, which ends when this process does.
func askEngine(ctx context.Context, program, ref string) (info container.Info, err error) {
	runtime.LockOSThread() // the signal comes when the thread ends, prctl(2)
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, program, "resolve", ref)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		said := string(bytes.TrimSpace(exit.Stderr))
		return info, errors.New(strings.TrimPrefix(said, engineProgram+": find "+ref+": "))
	}
	if err != nil {
		return info, fmt.Errorf("%s: %w", program, err)
	}
	if err := json.Unmarshal(out, &info); err != nil {
		return info, fmt.Errorf("%s: its answer: %w", program, err)
	}
	return info, nil
}
