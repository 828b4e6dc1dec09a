// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
)

// place is a target, with what a line has to know of it.
type place struct {
	pid     int
	foreign ns.Type // namespaces that are not ours
	ids     int     // uids and gids that its user namespace has, from 0 on
	mounts  bool    // its own root directory
}

func (c *comparison) targets(t *testing.T, bin string) (list []place) {
	binds := []string{bin}
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc"} {
		if _, err := os.Stat(dir); err == nil {
			binds = append(binds, dir)
		}
	}
	thousand := []syscall.SysProcIDMap{{HostID: 100000, Size: 1000}}
	specs := []fixture.Spec{
		{User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true},
		{User: true, UTS: true, Net: true},
		{User: true, PID: true},
		{User: true, Mount: true, UTS: true, Root: true, Binds: binds},
		{User: true, Time: true, Monotonic: time.Hour},
	}
	if c.root {
		specs = append(specs,
			fixture.Spec{Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true},
			fixture.Spec{UTS: true, IPC: true},
			fixture.Spec{Mount: true, PID: true, Root: true, Binds: binds},
			fixture.Spec{User: true, Mount: true, PID: true, UTS: true, UIDMap: thousand, GIDMap: thousand})
	}
	for _, s := range specs {
		p := place{pid: fixture.New(t, s).PID, ids: 1, mounts: s.Root}
		if s.UIDMap != nil {
			p.ids = 1000
		}
		target, err := launcher.PID(p.pid, ns.All)
		require.NoError(t, err)
		p.foreign = target.Types()
		require.NoError(t, target.Close())
		list = append(list, p)
	}
	return append(list, place{pid: os.Getpid(), ids: 1})
}

// line is a command line that was made up: options, each of them one word or two, and the program.
type line struct {
	at      place
	options []words
	program []string
	stdin   string
	env     []string

	types      ns.Type // that are asked for one by one
	all        bool
	setuid     int // -1: not given
	setgid     bool
	preserve   bool
	equalsSign bool // -r=dir
	wd         bool // an option for the working directory
}

// words are an option, and what becomes of it where a defect is avoided.
type words struct {
	given   []string
	typ     ns.Type  // that it asks for
	avoids8 []string // without the equals sign; nil: as given
}

func (l *line) args() []string {
	var args []string
	for _, o := range l.options {
		args = append(args, o.given...)
	}
	return append(args, l.program...)
}

// letters are the short options of the types, and shorter their long names as short as they can be.
var (
	letters = map[ns.Type]string{
		ns.Mount: "m", ns.UTS: "u", ns.IPC: "i", ns.Net: "n", ns.PID: "p", ns.Cgroup: "C", ns.User: "U", ns.Time: "T",
	}
	longs = map[ns.Type]string{
		ns.Mount: "mount", ns.UTS: "uts", ns.IPC: "ipc", ns.Net: "net", ns.PID: "pid", ns.Cgroup: "cgroup", ns.User: "user", ns.Time: "time",
	}
	shorter = map[ns.Type]string{
		ns.Mount: "m", ns.UTS: "ut", ns.IPC: "i", ns.Net: "net", ns.PID: "pi", ns.Cgroup: "cg", ns.User: "user", ns.Time: "ti",
	}
)

// makeUp makes a line that mostly makes sense.
func (c *comparison) makeUp(random *rand.Rand, at place) *line {
	l := &line{at: at, setuid: -1}
	one := func(in int) bool { return random.IntN(in) == 0 }
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	add := func(given ...string) { l.options = append(l.options, words{given: given}) }
	pid := strconv.Itoa(at.pid)

	switch random.IntN(6) {
	case 0:
		add("-t" + pid)
	case 1:
		add("--target", pid)
	case 2:
		add("--target=" + pid)
	case 3:
		add("--tar", pid)
	default:
		add("-t", pid)
	}
	if one(3) {
		l.all = true
		add(pick("-a", "--all", "--al"))
	}
	for t := range ns.All.Each() {
		// Mostly what it has itself, and now and then what it shares with us; without the user namespace an ordinary user has nothing.
		likely := at.foreign.Has(t) && !one(3) || t == ns.User && at.foreign.Has(t) && !c.root && !one(8)
		if !likely && !one(15) || l.all && !one(10) {
			continue
		}
		l.types |= t
		file := fmt.Sprintf("/proc/%d/ns/%v", at.pid, t)
		form := words{typ: t}
		switch random.IntN(6) {
		case 0:
			form.given = []string{"-" + letters[t] + file}
		case 1:
			form.given = []string{"--" + longs[t] + "=" + file}
		case 2:
			form.given = []string{"--" + longs[t]}
		case 3:
			form.given = []string{"--" + shorter[t]}
		default:
			form.given = []string{"-" + letters[t]}
		}
		l.options = append(l.options, form)
	}
	if one(4) {
		l.setuid = random.IntN(2 * at.ids)
		if c.root && one(2) {
			l.setuid = random.IntN(70000)
		}
		add(pick("-S", "--setuid"), strconv.Itoa(l.setuid))
	}
	if one(4) {
		l.setgid = true
		add(pick("-G", "--setgid"), strconv.Itoa(random.IntN(2*at.ids)))
	}
	if one(8) {
		l.preserve = true
		add("--preserve-credentials")
	}
	c.directories(l, random)
	noFork := one(10)
	if noFork {
		add(pick("-F", "--no-fork"))
	}
	if one(10) {
		add(pick("-Z", "--follow-context"))
	}
	random.Shuffle(len(l.options), func(i, j int) { l.options[i], l.options[j] = l.options[j], l.options[i] })
	c.choose(l, random, noFork)
	if one(25) { // nonsense
		wrong := pick("-x", "--nonsense", "--set=0", "--all=1", "-S", "--setuid=", "-Sx", "-tx", "--target=1x", "-W/no/such")
		if !l.wd && l.types&(ns.Net|ns.UTS) == 0 && one(2) { // nsenter opens those that it then has no use for
			wrong = pick("-w/no/such", "--wd=/etc/passwd", "-n/dev/null", "--net=/no/such", "-u/proc/self/ns/net")
		}
		l.options = append(l.options, words{given: []string{wrong}}) // the last of several of a kind is the one that counts
	}
	return l
}

// directories adds options for the root and the working directory.
func (c *comparison) directories(l *line, random *rand.Rand) {
	one := func(in int) bool { return random.IntN(in) == 0 }
	add := func(avoids []string, given ...string) {
		l.options = append(l.options, words{given: given, avoids8: avoids})
		l.equalsSign = l.equalsSign || avoids != nil
	}
	if one(6) {
		root := "/"
		if l.at.mounts {
			root = fmt.Sprintf("/proc/%d/root", l.at.pid)
		}
		switch random.IntN(5) {
		case 0:
			add(nil, "-r"+root)
		case 1:
			add(nil, "--root="+root)
		case 2:
			add([]string{"-r" + root}, "-r="+root)
		case 3:
			add(nil, "--root")
		default:
			add(nil, "-r")
		}
	}
	// The nsenter of Debian 12 goes to "/" where -a meets our own mount namespace, since it enters that again; later ones do not.
	again := (l.all || l.types.Has(ns.Mount)) && !l.at.foreign.Has(ns.Mount)
	if !again && !one(3) {
		return
	}
	l.wd = true
	switch random.IntN(7) {
	case 0:
		add(nil, "-w/usr")
	case 1:
		add(nil, "--wd=/usr")
	case 2:
		add([]string{"-w/usr"}, "-w=/usr")
	case 3:
		add(nil, "-w")
	case 4:
		add(nil, "-W", "/usr")
	case 5:
		add(nil, "--wdns=/usr/bin")
	default:
		add(nil, "-W/")
	}
}

// choose adds the program.
func (c *comparison) choose(l *line, random *rand.Rand, noFork bool) {
	switch n := random.IntN(24); {
	case noFork: // a Go program that may have no threads does not start
		l.program = []string{"sh", "-c", "id -u; echo gid $(id -g) $(id -g) $(id -g); readlink /proc/self/ns/*; exit 4"}
	case n == 0:
		l.program = []string{"no-such-program"}
	case n == 1:
		l.program = []string{"/etc/passwd"}
	case n == 2:
		l.program = []string{"/usr"}
	case n == 3:
		l.program = []string{"sh", "-c", "exit " + strconv.Itoa(random.IntN(256))}
	case n == 4:
		l.program = []string{"sh", "-c", "kill -TERM $$"}
	case n == 5:
		l.program = []string{"cat"}
		l.stdin = "from the caller"
	case n == 6:
		l.stdin, l.env = "echo $0; exit 5\n", []string{"SHELL=" + []string{"/bin/sh", "/bin/bash", "/no/such"}[random.IntN(3)]}
	case n == 7:
		l.program = []string{"--", c.probe, "--", "-a"}
	case n == 8:
		l.program = []string{"probe", "-t", "1", "--all"}
	default:
		l.program = []string{c.probe}
	}
}
