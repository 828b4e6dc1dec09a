// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// check finds what the options ask for in vain.
func (r *request) check() error {
	for _, c := range []struct {
		a, b  bool
		names string
	}{
		{r.wdns != "", r.wd.given, "--wd and --wdns"},
		{r.account != "", r.uid.given || r.gid.given, "--as and --setuid or --setgid"},
		{r.socket.given, r.files[ns.Net] != "", "--net-socket and a file for --net"},
		{r.hostTools.given, r.types.Has(ns.Mount) || r.files[ns.Mount] != "", "--host-tools and --mount"},
		{r.hostTools.given, r.root.given, "--host-tools and --root"},
		{r.clear, r.environment, "--clear-env and --env"},
		{r.tty, r.noTTY, "--tty and --no-tty"},
	} {
		if c.a && c.b {
			return fmt.Errorf("options %s exclude each other", c.names)
		}
	}
	if r.parent && !r.all && r.types == 0 && len(r.files) == 0 && !r.socket.given {
		return errors.New("option --user-parent is about other namespaces: none is given")
	}
	if r.target != "" {
		if r.dropIn() || r.selects() {
			return nil
		}
		return errors.New("nothing to enter: add --all, or the namespaces, for that --target")
	}
	if needs := r.needs(); len(needs) > 0 {
		return fmt.Errorf("no target process for %s: give one by --target PID", strings.Join(needs, ", "))
	}
	if r.dropIn() || r.selects() {
		return nil
	}
	return errors.New("nothing to enter: give a --target PID with --all or namespaces, or namespaces by their files")
}

// selects reports whether anything is asked for that the program would not have without airlock.
func (r *request) selects() bool {
	return r.all || r.types != 0 || len(r.files) > 0 || r.socket.given || r.parent || r.root.given || r.wd.given || r.wdns != "" ||
		r.uid.given || r.gid.given || r.account != "" || r.environment || r.clear || len(r.variables) > 0 || r.cgroup || r.selinux ||
		r.follow != 0 || r.hostTools.given || r.drop != 0 || r.add != 0
}

// needs lists the options that take something of a target process.
func (r *request) needs() (names []string) {
	for _, c := range []struct {
		given bool
		name  string
	}{
		{r.follow != 0, "--follow"},
		{r.all, "--all"},
		{r.types != 0, "a namespace without a file: " + r.types.String()},
		{r.socket.given, "--net-socket"},
		{r.root.given && r.root.path == "", "--root without a directory"},
		{r.wd.given && r.wd.path == "", "--wd without a directory"},
		{r.environment, "--env"},
		{r.uid.follow, "--setuid follow"},
		{r.gid.follow, "--setgid follow"},
		{r.cgroup, "--join-cgroup"},
		{r.hostTools.given, "--host-tools"},
	} {
		if c.given {
			names = append(names, c.name)
		}
	}
	return names
}
