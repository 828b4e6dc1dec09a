// SPDX-License-Identifier: Apache-2.0

// Package reexec runs named, typed Go functions in a copy of this program.
//
// A function is registered once, under a name, and is then called like any other, except that it runs in a process of
// its own: a fresh copy of the running program, started plainly or, through a [Starter], inside other namespaces.
//
//	var hostname = reexec.Register("hostname", func(context.Context, struct{}) (string, error) {
//		return os.Hostname()
//	})
//
//	func main() {
//		reexec.Init() // in the copy this runs the function and never returns
//		name, err := hostname.Call(context.Background(), reexec.In(target), struct{}{})
//		…
//	}
//
// It is for code that needs a process of its own: to be in namespaces that a thread cannot enter, package ns has the others; to be killed
// by its context; or to crash alone. [In] starts a process for every call, a [Pool] keeps processes, [InProcess] has none, for tests. For a
// program that exists already there is package os/exec, or launcher.Command.
//
// # How a call travels
//
//	caller                                      worker: a copy of this program
//	──────                                      ──────────────────────────────
//	encode In as JSON, make a socket pair
//	write the request into the socket
//	Starter.Start(cmd)      ───── exec ─────►   (a Starter takes its steps before the Go runtime starts)
//	                                            package init, main, Init
//	                        ── call, param ──►  read all of it, decode In
//	                                            run the function
//	slog records            ◄───── log ──────   …
//	decode Out              ◄─ result, fail ──  encode Out, or the error
//	wait for the process    ◄───── exit ─────   os.Exit(0)
//
// Nothing travels back and forth more than once. Standard input, output and error stay the user's: they carry no byte of
// the protocol, and whatever is printed on them is harmless. See frame.go for the bytes on the socket.
//
// # The worker
//
// The worker is /proc/self/exe, so a program that was replaced on disk goes on with its own image. Where /proc is not the
// kernel's, as it may be in a worker that makes calls of its own, they fail with [ErrNoImage]. The worker gets
//   - the caller's argv[0] and no other argument,
//   - the environment of [Process], plus AIRLOCK_CALL, which holds the number of the socket's descriptor and nothing else.
//     The variable is gone before package os is initialised, and the descriptor is close-on-exec before the init functions of any
//     package that imports this one: no child of the worker sees either,
//   - standard input, output and error as [Process] says, and no other descriptor: those that the caller has without
//     close-on-exec are closed as early as that,
//   - the caller's working directory, umask, limits and credentials, as far as the Starter does not change them,
//   - the namespaces of the process, likewise: never those of the calling thread, where that is elsewhere, as in ns.Do. A caller
//     who wants those gives a Starter that leads there.
//
// AIRLOCK_CALL is ignored in set-user-ID, set-group-ID and file-capability programs (AT_SECURE, getauxval(3)). Where it
// names anything but a stream socket, the program says so on standard error and exits with status 125; main never goes on.
//
// A worker dies with its caller: the end of file on the socket ends it, whatever it is doing. A function runs on a
// goroutine of its own; its context has the caller's deadline and none of the caller's values.
//
// # What comes back
//
// Either the exact result or an error, never a part and never both. Every error is an [*Error] that names the function and
// the stage. The error of a function keeps its message, its errno, the sentinels of the standard library, the types
// *fs.PathError, *os.LinkError, *os.SyscallError, *exec.Error and *reexec.Error, and what [RegisterError] adds; of any
// other type the message is left.
//
// An In or Out that is a string or a []byte travels as it is, at the speed of memory. All else travels as encoding/json has it.
// There a string must be valid UTF-8: a value with one that is not is refused ([ErrNotUTF8]) rather than changed; use []byte
// for such.
//
// # Limits
//
// A call in a plain copy takes no privilege, no cgo and no particular kernel; what a Starter takes is its own matter. A parameter, a result and
// an item of a stream are at most 1 GiB each, unless [Process] says otherwise, and are whole in memory on both sides. The worker's
// context has its deadline by the wall clock, which no namespace changes; if somebody sets that clock, the caller's context still ends the call.
//
// # Off Linux
//
// The package builds everywhere; a call then fails with an error that is [errors.ErrUnsupported].
package reexec
