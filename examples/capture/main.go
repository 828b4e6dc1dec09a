// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Capture prints the packets of a container's interface. The socket is of the container's network namespace, and the program that
// reads it is not.
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
	"golang.org/x/sys/unix"
)

// tap returns a socket that gets every packet of an interface, without its link header, packet(7). A socket belongs for good to the
// network namespace that it was made in, wherever its descriptor goes.
var tap = reexec.Register("tap", func(_ context.Context, name string) (reexec.File, error) {
	link, err := net.InterfaceByName(name)
	if err != nil {
		return reexec.File{}, err
	}
	// Protocol 0: it gets nothing before it is bound. Nonblocking: so that Go waits for it without a thread.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return reexec.File{}, os.NewSyscallError("socket", err)
	}
	err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: everything, Ifindex: link.Index})
	return reexec.File{File: os.NewFile(uintptr(fd), name)}, os.NewSyscallError("bind", err)
})

func main() {
	reexec.Init()
	ref := flag.String("target", "", target.Usage)
	name := flag.String("interface", "lo", "interface of the container")
	count := flag.Int("n", 0, "how many packets to print; 0: no end")
	flag.Parse()
	if err := capture(context.Background(), os.Stdout, *ref, *name, *count); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

func capture(ctx context.Context, out io.Writer, ref, name string, count int) error {
	inside, done, err := target.Open(ctx, ref, ns.User|ns.Net)
	if err != nil {
		return err
	}
	defer done()
	socket, err := tap.Call(ctx, reexec.In(inside), name)
	if err != nil {
		return err
	}
	defer socket.Close()
	// From here on nothing of ours is inside: the worker has ended, and the packets are read out here.
	packet := make([]byte, 1<<16)
	for i := 0; count == 0 || i < count; i++ {
		n, way, err := receive(socket, packet)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, way, describe(packet[:n]))
	}
	return nil
}
