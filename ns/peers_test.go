// SPDX-License-Identifier: Apache-2.0

//go:build linux

package ns_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
)

// The tests of this file are named for what they answer: a row of functions, or a fault, of
// github.com/vishvananda/netns (Netns), containernetworking/plugins pkg/ns (CNI) or
// github.com/thediveo/lxkns/ops (Lxkns).

func TestNetnsRow_Get(t *testing.T) {
	want, err := os.Readlink("/proc/thread-self/ns/net")
	require.NoError(t, err)
	pid, tid := os.Getpid(), os.Getpid()
	for name, open := range map[string]func() (*ns.Handle, error){
		"Get":           func() (*ns.Handle, error) { return ns.Current(ns.Net) },
		"GetFromPath":   func() (*ns.Handle, error) { return ns.Open("/proc/self/ns/net") },
		"GetFromPid":    func() (*ns.Handle, error) { return ns.OpenPID(pid, ns.Net) },
		"GetFromThread": func() (*ns.Handle, error) { return ns.OpenThread(pid, tid, ns.Net) },
	} {
		require.Equal(t, want, must(open())(t).String(), name)
	}
	_, err = ns.OpenNamed("airlock-no-such-name") // GetFromName
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestNetnsRow_NewNamedDeleteNamed(t *testing.T) {
	privately(t, func() {
		set := newSet(t, ns.Spec{Types: ns.Net})
		require.NoError(t, set.Handle(ns.Net).Pin(ns.RunNetns+"/blue"))
		require.Equal(t, set.Handle(ns.Net).ID(), must(ns.OpenNamed("blue"))(t).ID())
		require.NoError(t, ns.Unpin(ns.RunNetns+"/blue"))
		_, err := ns.OpenNamed("blue")
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
}

func TestNetnsRow_Set(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
	onThread(t, func() {
		require.NoError(t, ns.Enter(h))
		require.Equal(t, h.ID(), here(t, ns.Net))
	})
}

func TestNetnsRow_EqualUniqueIdIsOpenNone(t *testing.T) {
	a, b := must(ns.Current(ns.Net))(t), must(ns.Open("/proc/thread-self/ns/net"))(t)
	require.True(t, a.ID() == b.ID())
	require.NotEqual(t, a.ID(), new(ns.Handle).ID())
	require.Equal(t, "closed", new(ns.Handle).String())
	require.NotNil(t, a.File())
	require.Nil(t, new(ns.Handle).File())
}

func TestNetnsFault_NewMovesCaller(t *testing.T) {
	fixture.Need(t, fixture.Root)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for types := range subsets() {
		before := linksOfThread(t)
		set, err := ns.New(ns.Spec{Types: types})
		require.NoError(t, err)
		require.Equal(t, before, linksOfThread(t))
		require.NoError(t, set.Close())
	}
}

func linksOfThread(t *testing.T) map[string]string {
	links := map[string]string{}
	entries, err := os.ReadDir("/proc/thread-self/ns")
	require.NoError(t, err)
	for _, e := range entries {
		links[e.Name()], err = os.Readlink("/proc/thread-self/ns/" + e.Name())
		require.NoError(t, err)
	}
	return links
}

func TestNetnsFault_NewNamedExistingMovesCaller(t *testing.T) {
	privately(t, func() {
		taken := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
		require.NoError(t, taken.Pin(ns.RunNetns+"/blue"))
		before := linksOfThread(t)
		second := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
		require.ErrorIs(t, second.Pin(ns.RunNetns+"/blue"), fs.ErrExist)
		require.Equal(t, before, linksOfThread(t))
		require.Equal(t, taken.ID(), must(ns.OpenNamed("blue"))(t).ID())
		require.NoError(t, ns.Unpin(ns.RunNetns+"/blue"))
	})
}

func TestNetnsFault_NewNamedLeavesFileBehind(t *testing.T) {
	privately(t, func() {
		h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
		drop(t, unix.CAP_SYS_ADMIN) // mount(2) fails
		require.ErrorIs(t, h.Pin("/run/blue"), unix.EPERM)
		require.NoFileExists(t, "/run/blue")
	})
}

func TestNetnsFault_ZeroHandleIsStdin(t *testing.T) {
	var h ns.Handle
	require.NoError(t, h.Close())
	_, err := unix.FcntlInt(0, unix.F_GETFD, 0)
	require.NoError(t, err, "standard input is open")
	require.ErrorIs(t, ns.Do(func() error { return nil }, &h), os.ErrClosed)
	require.ErrorIs(t, h.Pin("/x"), os.ErrClosed)
}

func TestCNIRow_GetNSDoPathFdClose(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Net}) // NewNS, TempNetNS
	path := "/proc/self/fd/" + strconv.Itoa(int(set.Handle(ns.Net).File().Fd()))
	h, err := ns.Open(path) // GetNS
	require.NoError(t, err)
	require.Equal(t, path, h.File().Name()) // Path, Fd
	require.NoError(t, ns.Do(func() error { // Do, WithNetNSPath
		require.Equal(t, h.ID(), here(t, ns.Net))
		return nil
	}, h))
	require.NoError(t, h.Close())
}

func TestCNIRow_Errors(t *testing.T) {
	_, err := ns.Open("/airlock/no/such/file") // NSPathNotExistErr
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorIs(t, err, ns.ErrNotNamespace)
	_, err = ns.Open("/proc/self/status") // NSPathNotNSErr
	require.ErrorIs(t, err, ns.ErrNotNamespace)
	require.NotErrorIs(t, err, fs.ErrNotExist)
}

func TestCNIFault_GoexitInsideDoIsSuccess(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
	returned, done := false, make(chan struct{})
	go func() {
		defer close(done)
		_ = ns.Do(func() error { runtime.Goexit(); return nil }, h)
		returned = true
	}()
	<-done
	require.False(t, returned)
}

func TestCNIFault_GetNSAcceptsAnything(t *testing.T) {
	_, err := ns.Open("/proc/self/status")
	require.ErrorIs(t, err, ns.ErrNotNamespace)
	uts := must(ns.Open("/proc/self/ns/uts"))(t)
	require.Equal(t, ns.UTS, uts.Type(), "a Handle knows what it is")
	privately(t, func() {
		require.NoError(t, newSet(t, ns.Spec{Types: ns.UTS}).Handle(ns.UTS).Pin(ns.RunNetns+"/blue"))
		_, err := ns.OpenNamed("blue")
		require.ErrorIs(t, err, ns.ErrNotNamespace, "a uts namespace among the network namespaces")
		require.EqualError(t, err, "ns: open /run/netns/blue: a uts namespace, not a namespace of type net")
		require.NoError(t, ns.Unpin(ns.RunNetns+"/blue"))
	})
}

func TestCNIFault_ErrnoLost(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.Net}).Handle(ns.Net)
	onThread(t, func() {
		drop(t, unix.CAP_SYS_ADMIN)
		err := ns.Enter(h)
		require.ErrorIs(t, err, unix.EPERM)
		require.ErrorIs(t, err, fs.ErrPermission)
		var errno unix.Errno
		require.True(t, errors.As(err, &errno))
	})
}

func TestCNIFault_CloseTwice(t *testing.T) {
	h, err := ns.Current(ns.Net)
	require.NoError(t, err)
	fd := int(h.File().Fd())
	require.NoError(t, h.Close())
	// Whoever gets the number next keeps it.
	other, err := os.Open("/")
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, unix.Dup3(int(other.Fd()), fd, unix.O_CLOEXEC), "%d", fd)
	require.NoError(t, h.Close())
	_, err = unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Close(fd))
}

func TestLxknsRow_Relation(t *testing.T) {
	h := must(ns.Current(ns.User))(t)
	require.Equal(t, ns.User, h.Type())
	require.NotZero(t, h.ID())
	uid, err := h.OwnerUID()
	require.NoError(t, err)
	require.GreaterOrEqual(t, uid, 0)
	id, typ, err := ns.ParseID(h.String()) // IDwithType
	require.NoError(t, err)
	require.Equal(t, h.ID(), id)
	require.Equal(t, ns.User, typ)
	f, err := os.Open("/proc/self/ns/user") // NamespaceFile
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, h.ID(), must(ns.FromFile(f))(t).ID())
}

func TestLxknsRow_GoExecuteVisit(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.UTS}).Handle(ns.UTS)
	got := make(chan ns.ID, 1)
	require.NoError(t, ns.Go(func() { got <- here(t, ns.UTS) }, h)) // Go
	require.Equal(t, h.ID(), <-got)
	id, err := ns.Call(func() (ns.ID, error) { return here(t, ns.UTS), nil }, h) // Execute
	require.NoError(t, err)
	require.Equal(t, h.ID(), id)
	require.NoError(t, ns.Do(func() error { return nil }, h)) // Visit
}

func TestLxknsRow_PortableReferenceIsHeldOpen(t *testing.T) {
	tgt := fixture.New(t, fixture.Spec{Net: true})
	h := must(ns.OpenPID(tgt.PID, ns.Net))(t)
	require.NoError(t, tgt.Close())
	require.NoError(t, second(h.Owner()), "the Handle keeps it alive")
	_, err := ns.OpenPID(tgt.PID, ns.Net)
	require.Error(t, err)
}

// The process is started anew, so that main is locked to the main thread from the beginning.
func TestLxknsFault_GoFromMainLeavesMainThread(t *testing.T) {
	fixture.Need(t, fixture.Root)
	out, err := rerun("TestLxknsFault_GoFromMainLeavesMainThread")
	require.NoError(t, err, "%s", out)
	require.Equal(t, "inside and back\n", string(out))
}

func TestLxknsFault_ExecuteHangsOnGoexit(t *testing.T) {
	fixture.Need(t, fixture.Root)
	for _, h := range newSet(t, ns.Spec{Types: ns.Net | ns.Mount}).Handles() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = ns.Call(func() (int, error) { runtime.Goexit(); return 0, nil }, h)
		}()
		<-done
	}
}

func TestLxknsFault_MountNeedsUnshareFirst(t *testing.T) {
	fixture.Need(t, fixture.Root)
	h := newSet(t, ns.Spec{Types: ns.Mount}).Handle(ns.Mount)
	require.NoError(t, ns.Do(func() error {
		require.Equal(t, h.ID(), here(t, ns.Mount))
		return nil
	}, h))
}

func TestLxknsFault_VisitStaysLockedAfterPartialFailure(t *testing.T) {
	fixture.Need(t, fixture.Root)
	set := newSet(t, ns.Spec{Types: ns.Net | ns.Mount})
	onThread(t, func() {
		before := linksOfThread(t)
		drop(t, unix.CAP_SYS_CHROOT)
		require.ErrorIs(t, ns.Enter(set.Handles()...), unix.EPERM)
		require.Equal(t, before, linksOfThread(t))
	})
	// Do runs elsewhere; whatever fails there costs that thread.
	gone := newSet(t, ns.Spec{Types: ns.Net | ns.User})
	require.ErrorIs(t, ns.Do(func() error { return nil }, gone.Handle(ns.Net), gone.Handle(ns.User)), ns.ErrMultithreaded)
	requireHome(t)
	for _, err := range ns.List(context.Background()) {
		require.NoError(t, err)
	}
}
