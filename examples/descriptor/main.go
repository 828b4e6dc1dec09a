// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Descriptor opens a file and a listening socket inside a container, and serves the one on the other from outside.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/airlock-ns/airlock/examples/internal/target"
	"github.com/airlock-ns/airlock/ns"
	"github.com/airlock-ns/airlock/reexec"
)

type opened struct{ Page, Listener reexec.File } // a File crosses as the open descriptor that it is

var open = reexec.Register("open", func(_ context.Context, name string) (o opened, err error) {
	if o.Page.File, err = os.Open(name); err != nil {
		return o, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		o.Listener.File, err = listener.(*net.TCPListener).File()
	}
	return o, err
})

var ask = reexec.Register("ask", func(_ context.Context, address string) ([]byte, error) {
	conn, err := net.Dial("tcp", address) // from in here: the address is one of this network
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return io.ReadAll(conn)
})

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	page := flag.String("file", "/srv/www/index.html", "file to serve inside")
	flag.Parse()
	if err := descriptor(context.Background(), *ref, *page); err != nil {
		fmt.Fprintln(os.Stderr, "descriptor:", err)
		os.Exit(1)
	}
}

func descriptor(ctx context.Context, ref, page string) error {
	inside, done, err := target.Open(ctx, ref, ns.User|ns.Mount|ns.Net)
	if err != nil {
		return err
	}
	defer done()
	o, err := open.Call(ctx, reexec.In(inside), page)
	if err != nil {
		return err
	}
	defer o.Page.Close()
	defer o.Listener.Close()
	listener, err := net.FileListener(o.Listener.File)
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() { // out here, and without any privilege
		if conn, err := listener.Accept(); err == nil {
			io.Copy(conn, o.Page)
			conn.Close()
		}
	}()
	answer, err := ask.Call(ctx, reexec.In(inside), listener.Addr().String())
	fmt.Printf("%s inside says: %s", listener.Addr(), answer)
	return err
}
