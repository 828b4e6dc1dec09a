// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package cnsenter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
	"golang.org/x/sys/unix"
)

// writeMaps writes the id maps of the user namespace that the process has just made. The kernel takes each once, and in one
// write, user_namespaces(7).
func writeMaps(pid int, s *ns.Spec) error {
	if err := writeMap(pid, "uid", s.UIDMap, os.Geteuid()); err != nil {
		return err
	}
	if s.DenySetgroups {
		if err := denySetgroups(pid); err != nil {
			return err
		}
	}
	return writeMap(pid, "gid", s.GIDMap, os.Getegid())
}

func writeMap(pid int, kind string, maps []ns.IDMap, own int) error {
	if len(maps) == 0 {
		maps = []ns.IDMap{{Inside: 0, Outside: own, Size: 1}}
	}
	var text strings.Builder
	arguments := []string{strconv.Itoa(pid)}
	for _, m := range maps {
		fmt.Fprintf(&text, "%d %d %d\n", m.Inside, m.Outside, m.Size)
		arguments = append(arguments, strconv.Itoa(m.Inside), strconv.Itoa(m.Outside), strconv.Itoa(m.Size))
	}
	file := fmt.Sprintf("/proc/%d/%s_map", pid, kind)
	err := os.WriteFile(file, []byte(text.String()), 0)
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	// Without privilege over the ids one may map one's own, if the group is one that cannot be dropped inside.
	if len(maps) == 1 && maps[0].Outside == own && maps[0].Size == 1 {
		if err := denySetgroups(pid); err != nil {
			return err
		}
		return os.WriteFile(file, []byte(text.String()), 0)
	}
	return runMapper("new"+kind+"map", arguments)
}

// denySetgroups comes before the map of gids, user_namespaces(7).
func denySetgroups(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/setgroups", pid), []byte("deny"), 0)
}

// runMapper runs newuidmap(1) or newgidmap(1), which are set-user-ID root: with an empty environment, and not from $PATH.
func runMapper(name string, arguments []string) error {
	for _, dir := range []string{"/usr/bin/", "/bin/", "/usr/local/bin/", "/run/wrappers/bin/"} {
		cmd := exec.Command(dir+name, arguments...)
		cmd.Env = []string{}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	return fmt.Errorf("to map more than one's own id takes %s, of the package uidmap: %w", name, exec.ErrNotFound)
}
