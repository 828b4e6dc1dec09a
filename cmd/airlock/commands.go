// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"

	"github.com/airlock-ns/airlock/ns"
)

// subcommand is a row of the table that dispatch, help, completion and manual are made of.
type subcommand struct {
	name        string
	operands    string
	summary     string
	run         func(name string, args []string) error
	tables      func() [][]option // nil: it has no options
	description []string
	examples    []string
	also        string
	hidden      bool
}

func subcommands() []subcommand {
	return []subcommand{
		{
			name: "enter", operands: "[ENGINE://CONTAINER [options]] [program [argument...]]",
			summary: "run a program in the namespaces of another one", run: enter,
			tables: func() [][]option { return (&request{files: map[ns.Type]string{}}).tables() },
			description: []string{
				"The namespaces of the target that are asked for are entered, all or none, and the program runs there; without one a shell, as a " +
					"login shell. Whoever names a container and no namespaces enters all. Namespaces may also be given by files, which need no target.",
				"Entering a user namespace makes the program root in it, without other groups, unless --setuid, --setgid or " +
					"--preserve-credentials says otherwise. A pid namespace is one of children: airlock stays beside the program, and ends as it does.",
			},
			examples: []string{
				"  airlock enter docker://web", "  airlock enter -t 4711 -a -- ps ax", "  airlock enter -t 4711 --host-tools -- tcpdump -i any",
				"  airlock enter --net=/run/netns/blue -- ip address",
			},
			also: "nsenter(1), setns(2)",
		},
		{
			name: "run", operands: "[program [argument...]]", summary: "run a program in new namespaces", run: create,
			tables: func() [][]option { return [][]option{(&creation{files: map[ns.Type]string{}}).options()} },
			description: []string{
				"The options are those of unshare(1). In a new user namespace the caller is root, unless an option says otherwise. The program is " +
					"the first process of a new pid namespace, and cannot outlive airlock: neither needs an option.",
				"A namespace with a file is mounted there, and outlives the program, except that of pids: it lives as long as its first process. " +
					"umount(8) gives it up.",
			},
			examples: []string{
				"  airlock run --user --pid --mount-proc -- sh", "  airlock run --map-auto --mount --net -- sh",
				"  airlock run --net=/run/netns/blue -- true", "  airlock run --time --boottime 86400 -- uptime",
			},
			also: "unshare(1), unshare(2), user_namespaces(7)",
		},
		{
			name: "ls", summary: "list the namespaces of this host", run: list,
			tables: func() [][]option { return [][]option{(&listing{}).options()} },
			description: []string{
				"A line for each namespace: its inode, its type, how many processes are in it, the first of them with its user and its " +
					"command, and a path by which it can be entered. Of those that no process is in, what keeps them alive is in the place of the " +
					"command: a mount, a descriptor, a socket, a thread, or a namespace that they own.",
				"On a terminal, or with --containers, the names of containers are shown that enter takes, if any runs and airlock-engine is there.",
			},
			examples: []string{"  airlock ls -t net", "  airlock ls --tree", "  airlock ls --json -p 4711"},
			also:     "lsns(8)",
		},
		{
			name: "completion", operands: "bash|zsh|fish", summary: "print what completes command lines in a shell", run: completion,
			examples: []string{"  source <(airlock completion bash)", "  airlock completion fish | source"},
		},
		{name: "help", operands: "[command|topic]", summary: "explain a command or a topic", run: showHelp, hidden: true},
		{name: "manual", operands: "directory", summary: "write the manual", run: writeManual, hidden: true},
	}
}

// visible are the commands that are listed.
func visible() (shown []subcommand) {
	for _, c := range subcommands() {
		if !c.hidden {
			shown = append(shown, c)
		}
	}
	return shown
}

// find returns the subcommand of that name, or nil.
func find(name string) *subcommand {
	for _, c := range subcommands() {
		if c.name == name {
			return &c
		}
	}
	return nil
}

// synopsis is how the command is called.
func (c *subcommand) synopsis() string {
	text := "airlock " + c.name
	if c.tables != nil {
		text += " [options]"
	}
	return strings.TrimRight(text+" "+c.operands, " ")
}

func usage() string {
	var b strings.Builder
	b.WriteString("Usage:\n")
	for _, c := range visible() {
		fmt.Fprintf(&b, "  %s\n      %s\n", c.synopsis(), c.summary)
	}
	b.WriteString("  airlock help [command|topic]\n  airlock --help | --version\n\nTopics:\n")
	for _, t := range topics() {
		fmt.Fprintf(&b, "  %-14s%s\n", t.name, t.title)
	}
	b.WriteString("\nCalled by the name nsenter, airlock is \"airlock enter\".\n")
	return b.String()
}

// showHelp prints the help of a command, or the text of a topic.
func showHelp(_ string, args []string) error {
	if len(args) == 0 {
		fmt.Print(usage())
		return nil
	}
	if c := find(args[0]); c != nil && c.tables != nil {
		return c.run("airlock "+c.name, []string{"--help"})
	}
	for _, t := range topics() {
		if t.name != args[0] {
			continue
		}
		fmt.Printf("%s\n", t.title)
		code := false
		for _, text := range t.text {
			isCode := strings.HasPrefix(text, "  ")
			if !isCode || !code {
				fmt.Println()
			}
			code = isCode
			fmt.Println(wrap(text, 100))
		}
		return nil
	}
	return fmt.Errorf("neither a command nor a topic: %s", args[0])
}

// wrap breaks a paragraph into lines of at most so many bytes. Commands, which begin with spaces, stay as they are.
func wrap(text string, width int) string {
	if strings.HasPrefix(text, "  ") {
		return text
	}
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case used+1+len(word) > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}
