// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import "strings"

// topic is what help and the manual say about more than one option. Its text is paragraphs; those that begin with two spaces are
// commands to type.
type topic struct {
	name, title string
	text        []string
}

func topics() []topic {
	return []topic{
		{"targets", "Targets", []string{
			"The target is a process: by its pid, by its pid and the inode of its pidfd, which no other process ever has, or by the container " +
				"that it is the first process of. A container is named as ENGINE://NAME, ENGINE://ID, or the start of an id, where ENGINE is docker, " +
				"podman, containerd (containerd://NAMESPACE/ID) or cri (cri://POD/CONTAINER). As the value of --target a name alone will do: the " +
				"engines are asked in turn, and two that match are an error.",
			"  airlock enter docker://web",
			"  airlock enter -t web --net -- ss -ltn",
			"The engines are asked by airlock-engine, which is looked for beside airlock and along $PATH, through their local sockets. " +
				"Without it, ids are found in the cgroups of the host. A pid that another process has got meanwhile is noticed.",
		}},
		{"follow", "Following the target", []string{
			"--follow takes all that the target is confined by, and all that it sees: " + strings.Join(partNames[:], ", ") + ". Parts can be named, " +
				"or left out with a minus before them.",
			"  airlock enter docker://web --follow -- sh",
			"  airlock enter docker://web --follow=-capabilities,-uid -- sh",
		}},
		{"terminal", "Terminal", []string{
			"Where standard input is a terminal, enter gives the program a pseudo-terminal of its own, so that the target never holds the user's: " +
				"it follows the size of the window, ^C and ^Z mean for the program what they mean for any, and a program that ^Z has stopped is, " +
				"together with airlock, one job of the user's shell. However the program or airlock ends, the user's terminal is made what it was, " +
				"unless airlock is killed by SIGKILL. What is redirected to a file or a pipe goes there unchanged.",
			"--tty does this for any standard input, --no-tty for none. Called as nsenter, and in run, there is no terminal without --tty.",
		}},
		{"signals", "Signals and exit status", []string{
			"The exit status is the program's. A program that dies of a signal has airlock die of the same. 127 means that the program was not " +
				"found, 126 that it could not be executed, 1 that anything else failed, with a message on standard error.",
			"Mostly the program takes airlock's place, and there is nothing between it and whoever sends it a signal. Where airlock has to stay, " +
				"for a pid namespace, a terminal or a status, it passes on every signal that can be caught, stops and continues with the " +
				"program, and the program does not outlive it, even if airlock is killed by SIGKILL. With a terminal or a status, SIGURG, SIGPROF, " +
				"SIGCHLD, SIGTTIN and SIGTTOU are not passed on; with a status and without a terminal of its own for the program, SIGINT, SIGQUIT, " +
				"SIGTSTP and SIGWINCH are taken to come from the terminal, which has sent them to the program too, while airlock is in its foreground.",
		}},
		{"status", "Status for programs", []string{
			"--json-status writes to an open descriptor, which the program does not inherit, one JSON object a line:",
			`  {"event":"running","pid":4711,"namespaces":{"net":4026532281}}`,
			`  {"event":"ended","exit":0}`,
			`  {"event":"ended","signal":"SIGTERM"}`,
			`  {"event":"failed","error":"execute sh: no such file or directory"}`,
			"The pid is the program's as airlock counts; the namespaces are inodes, as ls shows them.",
			"  airlock enter -t 4711 -a --json-status 3 -- true 3>status",
		}},
		{"nsenter", "Called as nsenter", []string{
			"Airlock is nsenter(1) where it is called by that name, through a link for instance: with nsenter's options only, and without a " +
				"terminal for the program. The command line of enter is nsenter's, abbreviations of options included.",
			"  ln -s airlock /usr/local/bin/nsenter",
		}},
		{"environment", "Environment", []string{
			"SHELL is the program that runs if none is given, as a login shell. PATH is where the program is looked for, among the files that " +
				"it will see. NO_COLOR, if it is not empty, keeps ls from printing its heading in bold on a terminal. DOCKER_HOST and CONTAINER_HOST " +
				"name the local sockets of the engines.",
		}},
	}
}
