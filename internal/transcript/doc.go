// SPDX-License-Identifier: Apache-2.0

// Package transcript keeps documents true: it runs the console blocks of a Markdown file, and compares what the commands print with
// what the file says they print.
//
//	```console
//	$ airlock --version
//	airlock v0.1.0
//	```
//
// A line after "$ " is a command for bash; "# " in its place is one for root. A backslash at its end continues it on the next line.
// What stands below is what it prints on standard output and standard error. There a line "…" stands for any lines, and durations,
// such as 2.1ms, and the inodes of namespaces, such as net:[4026531840], may be others.
//
// The commands of a block run one after the other, the first at the top of the module, and a cd holds for those that follow. Those of a tutorial, "go run ./examples/NAME", are carried out by the test binary of the
// tutorial itself, so that they are run as the tests are: with the race detector, static, and so on.
//
// Comments before a block, each on a line of its own, say what differs from that:
//
//	<!-- needs: root, docker, ip -->     skips the block without these: a Requirement of package fixture, or a program
//	<!-- container: docker web -->       starts a container of docker, podman or runc, which the commands call web
//	<!-- varies: "pid": \d+ -->          what matches may be otherwise, but for what a first group (…) holds
//	<!-- status: 1 -->                   the exit status of the last command; the others succeed
//	<!-- in: an empty folder -->         begins there, instead of at the top of the module
//
// With -update the documents are rewritten: what the commands printed takes the place of what they were to print.
package transcript
