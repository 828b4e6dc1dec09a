// SPDX-License-Identifier: Apache-2.0

package ns

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// pidfdGet holds the ioctls that turn a pidfd into a namespace, ioctl_pidfd(2), since Linux 6.11.
var pidfdGet = map[Type]uint{
	Cgroup: unix.PIDFD_GET_CGROUP_NAMESPACE,
	IPC:    unix.PIDFD_GET_IPC_NAMESPACE,
	Mount:  unix.PIDFD_GET_MNT_NAMESPACE,
	Net:    unix.PIDFD_GET_NET_NAMESPACE,
	PID:    unix.PIDFD_GET_PID_NAMESPACE,
	Time:   unix.PIDFD_GET_TIME_NAMESPACE,
	User:   unix.PIDFD_GET_USER_NAMESPACE,
	UTS:    unix.PIDFD_GET_UTS_NAMESPACE,
}

// OpenPID opens the namespace of type t in which the process pid is. The process is taken hold of
// once, so that no other process that gets its number can take its place. If there is no such
// process, or it has exited and waits to be reaped, the error holds ESRCH; without the right to
// look, ptrace(2), EACCES.
func OpenPID(pid int, t Type) (*Handle, error) {
	ref := procPath(pid, 0, t)
	if t.Len() != 1 || t&^All != 0 {
		return nil, &Error{Op: "open", Ref: ref, Err: ErrNotOneType}
	}
	f, err := openProcess(pid, t, ref)
	return adopt(f, ref, err)
}

func openProcess(pid int, t Type, name string) (*os.File, error) {
	if pid <= 0 {
		return nil, unix.ESRCH
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
		defer unix.Close(pidfd)
		return openPIDFD(pidfd, pid, t, name)
	case unix.ESRCH:
		return nil, err
	}
	// No pidfd_open(2) before Linux 5.3, and none for the number of a thread.
	return openProc(-1, "/proc/"+strconv.Itoa(pid), t, name)
}

// FromPIDFD opens the namespace of type t in which the process of the pidfd is, pidfd_open(2). With
// it several namespaces are sure to be those of one process. The pidfd stays the caller's. The
// errors are those of OpenPID.
func FromPIDFD(pidfd *os.File, t Type) (*Handle, error) {
	ref := pidfd.Name() + "/" + t.String()
	if t.Len() != 1 || t&^All != 0 {
		return nil, &Error{Op: "open", Ref: ref, Err: ErrNotOneType}
	}
	var f *os.File
	err := control(pidfd, func(fd int) (err error) {
		pid, noPID := pidOf(fd)
		name := ref
		if noPID == nil {
			name = procPath(pid, 0, t)
		}
		if f, err = openByIoctl(fd, t, name); f != nil || err == unix.ESRCH {
			return err
		}
		if noPID != nil {
			return noPID
		}
		f, err = openProc(fd, "/proc/"+strconv.Itoa(pid), t, name)
		return err
	})
	return adopt(f, ref, err)
}

// openPIDFD opens a namespace of the process that pidfd stands for, whose number is pid.
func openPIDFD(pidfd, pid int, t Type, name string) (*os.File, error) {
	if f, err := openByIoctl(pidfd, t, name); f != nil || err == unix.ESRCH {
		return f, err
	}
	return openProc(pidfd, "/proc/"+strconv.Itoa(pid), t, name)
}

// openByIoctl asks the kernel, which can since 6.11.
func openByIoctl(pidfd int, t Type, name string) (*os.File, error) {
	fd, err := unix.IoctlRetInt(pidfd, pidfdGet[t])
	if err != nil {
		return nil, err
	}
	if exited(pidfd) {
		unix.Close(fd)
		return nil, unix.ESRCH
	}
	return os.NewFile(uintptr(fd), name), nil
}

// pidOf returns the number of the process that pidfd stands for, as proc shows it, pidfd_open(2).
func pidOf(pidfd int) (int, error) {
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pidfd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(info)) {
		if n, ok := strings.CutPrefix(line, "Pid:"); ok {
			pid, err := strconv.Atoi(strings.TrimSpace(n))
			if err == nil && pid < 0 {
				err = unix.ESRCH // it has been reaped
			}
			return pid, err
		}
	}
	return 0, unix.EBADF
}

// openProc opens a namespace through the directory proc of a process or thread. The open directory
// belongs to one process for good: what is below it is gone with the process, also if its number is
// used again, proc(5). If pidfd is not -1, the process has to be alive afterwards, so that proc was
// its directory, and not that of a successor.
func openProc(pidfd int, proc string, t Type, name string) (*os.File, error) {
	dir, err := retry(func() (int, error) {
		return unix.Open(proc, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err == unix.ENOENT && mounted() {
		return nil, unix.ESRCH
	}
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var st unix.Statfs_t
	if err := unix.Fstatfs(dir, &st); err != nil {
		return nil, err
	}
	if st.Type != unix.PROC_SUPER_MAGIC {
		return nil, ErrNotNamespace
	}
	f, err := openAt(dir, "ns/"+t.String(), name)
	if pidfd >= 0 && exited(pidfd) || pidfd < 0 && zombie(dir) {
		if f != nil {
			_ = f.Close()
		}
		return nil, unix.ESRCH
	}
	return f, err
}

// mounted reports whether /proc is a proc file system: only then a missing directory means a
// missing process.
func mounted() bool {
	var st unix.Statfs_t
	return unix.Statfs("/proc", &st) == nil && st.Type == unix.PROC_SUPER_MAGIC
}

// exited reports whether the process of pidfd has exited, be it reaped or not: a pidfd is readable
// from then on, pidfd_open(2).
func exited(pidfd int) bool {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, 0)
		if err != unix.EINTR {
			return err == nil && n > 0 && p[0].Revents&unix.POLLIN != 0
		}
	}
}

// zombie reports whether the process with the directory dir is gone: it has no root then, for an
// exited process has no file system state, proc_pid_root(5).
func zombie(dir int) bool {
	_, err := unix.Readlinkat(dir, "root", make([]byte, 1))
	return err == unix.ENOENT || err == unix.ESRCH
}

// OpenThread opens the namespace of type t in which the thread tid of the process pid is. If there
// is no such thread in that process, the error holds ESRCH.
func OpenThread(pid, tid int, t Type) (*Handle, error) {
	ref := procPath(pid, tid, t)
	if t.Len() != 1 || t&^All != 0 {
		return nil, &Error{Op: "open", Ref: ref, Err: ErrNotOneType}
	}
	f, err := openProc(-1, "/proc/"+strconv.Itoa(pid)+"/task/"+strconv.Itoa(tid), t, ref)
	return adopt(f, ref, err)
}
