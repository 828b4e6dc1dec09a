// SPDX-License-Identifier: Apache-2.0

//go:build linux

package target

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// files are what the container has beside /proc.
var files = map[string]string{
	"/etc/hostname":       "inside\n",
	"/etc/os-release":     "NAME=\"a little container\"\nVERSION_ID=1\n",
	"/srv/www/index.html": "<h1>Hello from inside</h1>\n",
	"/tmp/hello":          "only this mount namespace has this file",
}

// beat is where the container's second process sends a datagram to itself ten times a second.
var beat = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711}

// The copies of this program that are the container's processes never get as far as main.
func init() {
	roles := map[string]func() error{initName: beInit, heartbeatName: beHeartbeat}
	role, ok := roles[os.Args[0]]
	if !ok {
		return
	}
	if err := role(); err != nil {
		fmt.Fprintln(os.Stderr, os.Args[0]+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func beInit() error {
	if err := syscall.Sethostname([]byte("inside")); err != nil {
		return fmt.Errorf("sethostname: %w", err)
	}
	if err := raiseLoopback(); err != nil {
		return err
	}
	heartbeat := exec.Command("/proc/self/exe") // while the caller's files, and so its libraries, are still here
	heartbeat.Args = []string{heartbeatName}
	heartbeat.Stderr = os.Stderr
	started, err := heartbeat.StdoutPipe()
	if err != nil {
		return err
	}
	if err := heartbeat.Start(); err != nil {
		return err
	}
	if _, err := started.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("%s: %w", heartbeatName, err)
	}
	if err := furnish(); err != nil {
		return err
	}
	os.Stdout.WriteString("\n")
	_, err = io.Copy(io.Discard, os.Stdin) // until its other end is closed; with pid 1 everything in here ends
	return err
}

func beHeartbeat() error {
	conn, err := net.ListenUDP("udp4", beat)
	if err != nil {
		return err
	}
	os.Stdout.WriteString("\n")
	for n := 1; ; n++ {
		if _, err := conn.WriteTo(fmt.Appendf(nil, "beat %d", n), beat); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// raiseLoopback does what "ip link set lo up" does, netdevice(7).
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return os.NewSyscallError("SIOCSIFFLAGS lo", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}

// furnish gives the container a root directory that holds files and /proc, and nothing of the caller's, pivot_root(2).
func furnish() error {
	const root = "/tmp"
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make all mounts slaves: %w", err)
	}
	if err := unix.Mount("little", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount a tmpfs: %w", err)
	}
	for name, text := range files {
		if err := os.MkdirAll(root+filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(root+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Mkdir(root+"/proc", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", root+"/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	if err := os.Mkdir(root+"/var", 0o755); err != nil {
		return err
	}
	if err := os.Symlink("/srv/www", root+"/var/www"); err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	// The old root comes to lie on the new one, and is taken off.
	if err := unix.PivotRoot(".", "."); err != nil {
		return os.NewSyscallError("pivot_root", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the caller's root: %w", err)
	}
	return os.Chdir("/")
}
