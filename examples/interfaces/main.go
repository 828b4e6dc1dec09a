// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Interfaces lists the network interfaces of a container with their addresses, by a netlink library that knows nothing of namespaces.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/vishvananda/netlink"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

type link struct {
	Name, Flags string
	MTU         int
	Addresses   []string
}

// links lists what the caller's network namespace has.
func links() ([]link, error) {
	found, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list the links: %w", err)
	}
	var list []link
	for _, f := range found {
		addresses, err := netlink.AddrList(f, netlink.FAMILY_ALL)
		if err != nil {
			return nil, fmt.Errorf("list the addresses of %s: %w", f.Attrs().Name, err)
		}
		l := link{Name: f.Attrs().Name, Flags: f.Attrs().Flags.String(), MTU: f.Attrs().MTU}
		for _, a := range addresses {
			l.Addresses = append(l.Addresses, a.IPNet.String())
		}
		list = append(list, l)
	}
	return list, nil
}

// linksInside is links for other processes to call. Its parameter is nothing.
var linksInside = reexec.Register("links", func(context.Context, struct{}) ([]link, error) { return links() })

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	flag.Parse()
	if err := interfaces(context.Background(), *ref); err != nil {
		fmt.Fprintln(os.Stderr, "interfaces:", err)
		os.Exit(1)
	}
}

func interfaces(ctx context.Context, ref string) error {
	inside, done, err := target.Open(ctx, ref, ns.User|ns.Net) // User: only in there an ordinary user has the privilege
	if err != nil {
		return err
	}
	defer done()
	list, err := linksInside.Call(ctx, reexec.In(inside), struct{}{})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tMTU\tFLAGS\tADDRESSES")
	for _, l := range list {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", l.Name, l.MTU, l.Flags, strings.Join(l.Addresses, " "))
	}
	return table.Flush()
}
