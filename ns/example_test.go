// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/ns"
)

// A new network namespace has one interface, which is down, whatever the caller has.
func Example() {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	names, err := ns.Call(func() ([]string, error) {
		interfaces, err := net.Interfaces()
		var names []string
		for _, i := range interfaces {
			names = append(names, i.Name)
		}
		return names, err
	}, set.Handle(ns.Net))
	fmt.Println(slices.Contains(names, "lo"), err)
	// Output: true <nil>
}

func ExampleDo() {
	set, err := ns.New(ns.Spec{Types: ns.UTS})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	before, _ := os.Hostname()
	err = ns.Do(func() error {
		return unix.Sethostname([]byte("inside"))
	}, set.Handle(ns.UTS))
	after, _ := os.Hostname()
	fmt.Println(err, before == after)
	// Output: <nil> true
}

// Several namespaces at once, one of them for the processes that the function starts.
func ExampleDo_program() {
	set, err := ns.New(ns.Spec{Types: ns.PID | ns.UTS})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	err = ns.Do(func() error {
		if err := unix.Sethostname([]byte("inside")); err != nil {
			return err
		}
		cmd := exec.Command("sh", "-c", "echo process $$ of $(uname -n)")
		cmd.Stdout = os.Stdout
		return cmd.Run()
	}, set.Handles()...)
	fmt.Println(err)
	// Output:
	// process 2 of inside
	// <nil>
}

func ExampleDo_errors() {
	set, err := ns.New(ns.Spec{Types: ns.User})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	err = ns.Do(func() error { return nil }, set.Handle(ns.User))
	fmt.Println(errors.Is(err, ns.ErrMultithreaded), errors.Is(err, unix.EINVAL))
	fmt.Println(err)
	// Output:
	// true true
	// ns: enter new user: cannot be entered by a thread of a multi-threaded process: invalid argument
}

func ExampleCall() {
	set, err := ns.New(ns.Spec{Types: ns.UTS})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	name, err := ns.Call(func() (string, error) {
		if err := unix.Sethostname([]byte("inside")); err != nil {
			return "", err
		}
		return os.Hostname()
	}, set.Handle(ns.UTS))
	fmt.Println(name, err)
	// Output: inside <nil>
}

func ExampleGo() {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	inside := make(chan ns.ID)
	err = ns.Go(func() {
		here, err := ns.Current(ns.Net)
		if err != nil {
			log.Fatal(err)
		}
		defer here.Close()
		inside <- here.ID()
	}, set.Handle(ns.Net))
	if err != nil {
		log.Fatal(err)
	}
	set.Close() // the function has what it needs
	fmt.Println(<-inside == set.Handle(ns.Net).ID())
	// Output: true
}

// The goroutine must not go on to serve others: its thread ends with it.
func ExampleEnter() {
	set, err := ns.New(ns.Spec{Types: ns.UTS})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := ns.Enter(set.Handle(ns.UTS)); err != nil {
			log.Fatal(err)
		}
		link, err := os.Readlink("/proc/thread-self/ns/uts")
		fmt.Println(link == set.Handle(ns.UTS).String(), err)
	}()
	<-done
	// Output: true <nil>
}

func ExampleOpen() {
	h, err := ns.Open("/proc/self/ns/net")
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.Type())

	_, err = ns.Open("/proc/self/status")
	fmt.Println(err)
	// Output:
	// net
	// ns: open /proc/self/status: not a namespace
}

func ExampleOpenPID() {
	h, err := ns.OpenPID(os.Getpid(), ns.PID)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.Type())

	_, err = ns.OpenPID(1<<30, ns.PID)
	fmt.Println(err, errors.Is(err, unix.ESRCH))
	// Output:
	// pid
	// ns: open /proc/1073741824/ns/pid: no such process true
}

func ExampleOpenThread() {
	h, err := ns.OpenThread(os.Getpid(), os.Getpid(), ns.UTS)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.Type())
	// Output: uts
}

func ExampleOpenNamed() {
	_, err := ns.OpenNamed("airlock-no-such-name")
	fmt.Println(err, errors.Is(err, fs.ErrNotExist))
	// Output: ns: open /run/netns/airlock-no-such-name: no such file or directory true
}

// All namespaces of one process, even if the process ends and another gets its number meanwhile.
func ExampleFromPIDFD() {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		log.Fatal(err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer pidfd.Close()
	for t := range (ns.Net | ns.UTS).Each() {
		h, err := ns.FromPIDFD(pidfd, t)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(h.Type())
		h.Close()
	}
	// Output:
	// net
	// uts
}

func ExampleFromFile() {
	f, err := os.Open("/proc/self/ns/mnt")
	if err != nil {
		log.Fatal(err)
	}
	h, err := ns.FromFile(f)
	f.Close() // the Handle has a descriptor of its own
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.Type(), h.File().Name())
	// Output: mnt /proc/self/ns/mnt
}

// A socket stays in the namespace that it was created in.
func ExampleFromSocket() {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	l, err := ns.Call(func() (*net.UnixListener, error) {
		return net.ListenUnix("unix", &net.UnixAddr{Name: "@airlock-example", Net: "unix"})
	}, set.Handle(ns.Net))
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	h, err := ns.FromSocket(l)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.ID() == set.Handle(ns.Net).ID())
	// Output: true
}

func ExampleCurrent() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h, err := ns.Current(ns.Net)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	link, _ := os.Readlink("/proc/thread-self/ns/net")
	fmt.Println(h.String() == link)
	// Output: true
}

// A KernelID may be stored: no other namespace ever gets it.
func ExampleOpenKernelID() {
	h, err := ns.Current(ns.Net)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	id, err := h.KernelID()
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Println(true) // Linux before 6.18
		return
	}
	again, err := ns.OpenKernelID(id)
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	fmt.Println(again.ID() == h.ID())
	// Output: true
}

func ExampleHandle_KernelID() {
	h, err := ns.Current(ns.UTS)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	id, err := h.KernelID()
	fmt.Println(id.Number != 0 || errors.Is(err, errors.ErrUnsupported))
	// Output: true
}

func ExampleParseID() {
	id, t, err := ns.ParseID("net:[4026531840]")
	fmt.Println(id, t, err)
	_, _, err = ns.ParseID("net:4026531840")
	fmt.Println(err)
	// Output:
	// 4026531840 net <nil>
	// ns: parse namespace "net:4026531840": not of the form net:[4026531840]
}

func ExampleParseType() {
	t, err := ns.ParseType("mount,net")
	fmt.Println(t, t.Has(ns.Net), err)
	_, err = ns.ParseType("nett")
	fmt.Println(err)
	// Output:
	// mnt,net true <nil>
	// ns: parse type "nett": unknown name "nett"
}

func ExampleType_Each() {
	for t := range (ns.Net | ns.User).Each() {
		fmt.Println(t)
	}
	// Output:
	// net
	// user
}

// User and time namespaces, maps and clocks included, and no privilege needed.
func ExampleNew() {
	set, err := ns.New(ns.Spec{
		Types:     ns.User | ns.Net | ns.Time,
		UIDMap:    []ns.IDMap{{Inside: 0, Outside: os.Geteuid(), Size: 1}},
		Monotonic: 24 * time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	owner, err := set.Handle(ns.Net).Owner()
	if err != nil {
		log.Fatal(err)
	}
	defer owner.Close()
	fmt.Println(owner.ID() == set.Handle(ns.User).ID())
	// Output: true
}

func ExampleSet_Handles() {
	set, err := ns.New(ns.Spec{Types: ns.Net | ns.IPC})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	for _, h := range set.Handles() {
		fmt.Println(h.Type())
	}
	// Output:
	// ipc
	// net
}

func ExampleSet_Handle() {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	fmt.Println(set.Handle(ns.Net) != nil, set.Handle(ns.UTS) != nil)
	// Output: true false
}

func ExampleSet_Init() {
	set, err := ns.New(ns.Spec{Types: ns.PID})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", set.Init()))
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if ids, ok := strings.CutPrefix(line, "NSpid:"); ok {
			ids := strings.Fields(ids)
			fmt.Println("its number inside is", ids[len(ids)-1])
		}
	}
	// Output: its number inside is 1
}

func ExampleSet_Close() {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Close(), set.Close())
	fmt.Println(errors.Is(ns.Do(func() error { return nil }, set.Handle(ns.Net)), os.ErrClosed))
	// Output:
	// <nil> <nil>
	// true
}

func ExampleHandle_ID() {
	h, err := ns.Current(ns.Net)
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	seen := map[ns.ID]bool{h.ID(): true}
	again, err := ns.Open("/proc/self/ns/net")
	if err != nil {
		log.Fatal(err)
	}
	defer again.Close()
	fmt.Println(seen[again.ID()])
	// Output: true
}

func ExampleHandle_Type() {
	h, err := ns.Open("/proc/self/ns/cgroup")
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	fmt.Println(h.Type() == ns.Cgroup)
	// Output: true
}

func ExampleHandle_String() {
	h, err := ns.Open("/proc/self/ns/net")
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	link, err := os.Readlink("/proc/self/ns/net")
	fmt.Println(h.String() == link, err)
	fmt.Println(new(ns.Handle))
	// Output:
	// true <nil>
	// closed
}

// Another program gets the namespace as a descriptor.
func ExampleHandle_File() {
	h, err := ns.Open("/proc/self/ns/net")
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()
	cmd := exec.Command("readlink", "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{h.File()}
	out, err := cmd.Output()
	fmt.Println(strings.TrimSpace(string(out)) == h.String(), err)
	// Output: true <nil>
}

func ExampleHandle_Close() {
	h, err := ns.Current(ns.Net)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h.Close(), h.Close())
	fmt.Println(h.Type(), "is still known")
	// Output:
	// <nil> <nil>
	// net is still known
}

func ExampleHandle_Owner() {
	set, err := ns.New(ns.Spec{Types: ns.User | ns.UTS})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	owner, err := set.Handle(ns.UTS).Owner()
	if err != nil {
		log.Fatal(err)
	}
	defer owner.Close()
	fmt.Println(owner.ID() == set.Handle(ns.User).ID())
	// Output: true
}

func ExampleHandle_Parent() {
	set, err := ns.New(ns.Spec{Types: ns.PID | ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	parent, err := set.Handle(ns.PID).Parent()
	if err != nil {
		log.Fatal(err)
	}
	defer parent.Close()
	fmt.Println(parent.Type())

	_, err = set.Handle(ns.Net).Parent()
	fmt.Println(errors.Is(err, ns.ErrNoParent))
	// Output:
	// pid
	// true
}

func ExampleHandle_OwnerUID() {
	set, err := ns.New(ns.Spec{Types: ns.User | ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	uid, err := set.Handle(ns.Net).OwnerUID()
	fmt.Println(uid == os.Geteuid(), err)
	// Output: true <nil>
}

// The example is in a mount namespace of its own; a program would pin for all to see.
func ExampleHandle_Pin() {
	set, err := ns.New(ns.Spec{Types: ns.Net | ns.Mount})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	err = ns.Do(func() error {
		if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
			return err
		}
		if err := set.Handle(ns.Net).Pin("/run/netns/blue"); err != nil {
			return err
		}
		blue, err := ns.OpenNamed("blue") // as "ip netns exec blue" does
		if err != nil {
			return err
		}
		fmt.Println(blue.ID() == set.Handle(ns.Net).ID())
		return blue.Close()
	}, set.Handle(ns.Mount))
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

func ExampleUnpin() {
	set, err := ns.New(ns.Spec{Types: ns.UTS | ns.Mount})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	err = ns.Do(func() error {
		if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
			return err
		}
		if err := set.Handle(ns.UTS).Pin("/run/uts"); err != nil {
			return err
		}
		fmt.Println(ns.Unpin("/run/uts"))
		fmt.Println(ns.Unpin("/etc"))
		return nil
	}, set.Handle(ns.Mount))
	fmt.Println(err)
	// Output:
	// <nil>
	// ns: unpin /etc: not a namespace
	// <nil>
}

// furnished returns a mount namespace with a file of its own, /mnt/greeting.
func furnished() *ns.Set {
	set, err := ns.New(ns.Spec{Types: ns.Mount})
	if err == nil {
		err = ns.Do(func() error {
			return errors.Join(
				unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""),
				os.WriteFile("/mnt/greeting", []byte("hello from inside"), 0o644),
				os.Symlink("/mnt/greeting", "/mnt/link"),
			)
		}, set.Handle(ns.Mount))
	}
	if err != nil {
		log.Fatal(err)
	}
	return set
}

func ExampleHandle_FS() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	data, err := fs.ReadFile(files, "mnt/link")
	fmt.Println(string(data), err)
	_, err = os.Stat("/mnt/greeting")
	fmt.Println("outside:", errors.Is(err, fs.ErrNotExist))
	// Output:
	// hello from inside <nil>
	// outside: true
}

func ExampleFS_ReadDir() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	list, err := files.ReadDir("mnt")
	for _, entry := range list {
		fmt.Println(entry)
	}
	fmt.Println(err)
	// Output:
	// - greeting
	// L link
	// <nil>
}

func ExampleFS_ReadLink() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	fmt.Println(files.ReadLink("mnt/link"))
	info, err := files.Lstat("mnt/link")
	fmt.Println(info.Mode().Type() == fs.ModeSymlink, err)
	info, err = files.Stat("mnt/link")
	fmt.Println(info.Size(), err)
	// Output:
	// /mnt/greeting <nil>
	// true <nil>
	// 17 <nil>
}

func ExampleList() {
	self := os.Getpid()
	n := 0
	for info, err := range ns.List(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		if slices.Contains(info.PIDs, self) {
			n++
		}
	}
	fmt.Println("this process is in", n, "namespaces")
	// Output: this process is in 8 namespaces
}

func ExampleInfo_Open() {
	set, err := ns.New(ns.Spec{Types: ns.Net})
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	for info, err := range ns.List(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		if info.ID != set.Handle(ns.Net).ID() {
			continue
		}
		h, err := info.Open()
		if err != nil {
			log.Fatal(err)
		}
		kept := slices.ContainsFunc(info.Keepers, func(k ns.Keeper) bool { return k.Kind == ns.KeptByDescriptor })
		fmt.Println(h.Type(), "kept by a descriptor:", kept)
		h.Close()
	}
	// Output: net kept by a descriptor: true
}

func ExampleFS_Open() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	f, err := files.Open("mnt/greeting")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 5)
	n, err := f.Read(b)
	fmt.Println(string(b[:n]), err)
	// Output: hello <nil>
}

func ExampleFS_ReadFile() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	data, err := files.ReadFile("mnt/greeting")
	fmt.Println(string(data), err)
	// Output: hello from inside <nil>
}

func ExampleFS_Stat() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	info, err := files.Stat("mnt/link")
	fmt.Println(info.Mode(), err)
	// Output: -rw-r--r-- <nil>
}

func ExampleFS_Lstat() {
	set := furnished()
	defer set.Close()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	defer files.Close()
	info, err := files.Lstat("mnt/link")
	fmt.Println(info.Mode().Type() == fs.ModeSymlink, err)
	// Output: true <nil>
}

func ExampleFS_Close() {
	set := furnished()
	files, err := set.Handle(ns.Mount).FS()
	if err != nil {
		log.Fatal(err)
	}
	set.Close() // the files keep the namespace
	_, err = files.Stat("mnt/greeting")
	fmt.Println(err)
	files.Close()
	_, err = files.Stat("mnt/greeting")
	fmt.Println(err)
	// Output:
	// <nil>
	// stat mnt/greeting: file already closed
}
