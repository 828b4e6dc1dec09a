// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/reexec"
)

// descriptors are those of a process, by number, and of a program that it starts.
type descriptors struct {
	Own   map[int]string
	Child []string
}

func ownDescriptors() map[int]string {
	own := map[int]string{}
	for fd := range 1024 { // to list a directory would take a descriptor
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
			own[fd] = link
			if err != nil {
				own[fd] = err.Error()
			}
		}
	}
	return own
}

func seeDescriptors() (descriptors, error) {
	cmd := exec.Command("ls", "-l", "/proc/self/fd")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, &out, os.Stderr
	err := cmd.Run()
	return descriptors{ownDescriptors(), listed(out.String())}, err
}

var descriptorLine = regexp.MustCompile(`(?m) ([0-9]+) -> (.*)$`)

// listed gives what ls has found, without the directory that it reads.
func listed(out string) (found []string) {
	for _, m := range descriptorLine.FindAllStringSubmatch(out, -1) {
		if !strings.HasPrefix(m[2], "/proc/") {
			found = append(found, m[1]+" "+m[2])
		}
	}
	return found
}

type fileIn struct{ F reexec.File }

var (
	lookOnce  = reexec.Register("descriptors", func(context.Context, struct{}) (descriptors, error) { return seeDescriptors() })
	lookAlong = reexec.RegisterStream("descriptors, streamed", func(context.Context, struct{}) iter.Seq2[descriptors, error] {
		return func(yield func(descriptors, error) bool) { yield(seeDescriptors()) }
	})
	lookWith = reexec.Register("descriptors with a file", func(context.Context, fileIn) (descriptors, error) { return seeDescriptors() })
)

func init() { roles["careless"] = careless }

// seen is what a careless caller's workers and programs have.
type seen struct {
	Caller  map[int]string
	Workers map[string]descriptors
	Files   map[string]descriptors // with /etc/hostname in the parameter
	Command map[string][]string
}

// careless leaves 50 descriptors open that are not close-on-exec, and none at 0, before it calls from every place.
func careless(argument string) int {
	for range 50 {
		if _, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0); err != nil {
			return answer(nil, err)
		}
	}
	how, pid, _ := strings.Cut(argument, " ")
	if how == "closed" {
		unix.Close(0)
	}
	return answer(lookEverywhere(pid))
}

func lookEverywhere(pid string) (*seen, error) {
	places, err := placesAround(pid)
	if err != nil {
		return nil, err
	}
	s := &seen{Workers: map[string]descriptors{}, Files: map[string]descriptors{}, Command: map[string][]string{}}
	ctx := context.Background()
	for name, at := range places {
		on, end, err := at.on(reexec.Process{})
		if err != nil {
			return nil, err
		}
		defer end()
		if s.Workers[name+", func"], err = lookOnce.Call(ctx, on, struct{}{}); err != nil {
			return nil, err
		}
		for d, err := range lookAlong.Call(ctx, on, struct{}{}) {
			if err != nil {
				return nil, err
			}
			s.Workers[name+", stream"] = d
		}
		file, err := os.Open("/etc/hostname")
		if err != nil {
			return nil, err
		}
		s.Files[name], err = lookWith.Call(ctx, on, fileIn{reexec.File{File: file}})
		if file.Close(); err != nil {
			return nil, err
		}
		if target, ok := at.starter.(*launcher.Target); ok && !at.warm {
			out, err := launcher.Command(target, "ls", "-l", "/proc/self/fd").Output()
			if err != nil {
				return nil, err
			}
			s.Command["no extra files"] = listed(string(out))
		}
	}
	s.Caller = ownDescriptors()
	return s, nil
}

// A worker has its standard streams, its end of the socket, what the Go runtime opens for itself, and the files of its parameter; what it
// starts has the standard streams.
func TestPromise01NoDescriptorBeyondTheContract(t *testing.T) {
	for _, how := range []string{"open", "closed"} {
		t.Run("descriptor 0 is "+how, func(t *testing.T) {
			s := ask[seen](t, "careless", how+" "+innerPID(t))
			leaked := 0
			for _, link := range s.Caller {
				if link == "/etc/passwd" {
					leaked++
				}
			}
			require.Equal(t, 50, leaked, "the caller has them open")
			for name, d := range s.Workers {
				requireContract(t, name, d, s.Caller)
			}
			for name, d := range s.Files {
				requireContract(t, name, d, s.Caller, "/etc/hostname")
			}
			for name, list := range s.Command {
				require.Len(t, list, 3, "%s: %v", name, list)
				requireStandard(t, name, list)
			}
		})
	}
}

// runtimes are descriptors that the Go runtime opens: its poller, and the limits of the cgroup, where it finds them.
var runtimes = regexp.MustCompile(`^anon_inode:\[event(poll|fd)\]$|/cpu\.(max|cfs_quota_us|cfs_period_us)$`)

func requireContract(t *testing.T, name string, d descriptors, caller map[int]string, files ...string) {
	t.Helper()
	require.Equal(t, "/dev/null", d.Own[0], name)
	require.Equal(t, caller[1], d.Own[1], name)
	require.Equal(t, caller[2], d.Own[2], name)
	sockets := 0
	var extra []string
	for fd, link := range d.Own {
		switch {
		case fd < 3 || runtimes.MatchString(link) || link == os.Getenv("GOCOVERDIR"):
		case strings.HasPrefix(link, "socket:"):
			sockets++
		default:
			extra = append(extra, link)
		}
	}
	require.Equal(t, 1, sockets, "%s: %v", name, d.Own)
	require.Equal(t, files, extra, "%s: %v", name, d.Own)
	requireStandard(t, name, d.Child)
}

func requireStandard(t *testing.T, name string, list []string) {
	t.Helper()
	require.Len(t, list, 3, "%s: %v", name, list)
	for i, line := range list {
		require.True(t, strings.HasPrefix(line, fmt.Sprintf("%d ", i)), "%s: %v", name, list)
	}
}
