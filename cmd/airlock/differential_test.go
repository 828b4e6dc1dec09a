// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// commandLines is how many the differential test makes up. With the race detector, which has little to find in airlock, every program takes
// ten times as long.
func commandLines() int {
	if racing {
		return 60
	}
	return 520
}

// TestPromise31Differential makes up command lines and gives each to the nsenter(1) of util-linux that is installed, and to airlock under that
// name. What the program sees, and how it ends, must be the same, unless a defect of nsenter explains the difference:
// then nsenter must do the same as airlock once the command line avoids that defect. AIRLOCK_SEED makes other lines.
func TestPromise31Differential(t *testing.T) {
	fixture.Need(t, fixture.Cgo, fixture.UserNS, fixture.Program("nsenter"))
	theirs, err := exec.LookPath("nsenter")
	require.NoError(t, err)
	seed := uint64(1)
	if s := os.Getenv("AIRLOCK_SEED"); s != "" {
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("AIRLOCK_SEED=%d", seed)

	bin := programs(t)
	c := &comparison{theirs: theirs, ours: bin + "/nsenter", probe: bin + "/probe", dir: t.TempDir(), root: os.Geteuid() == 0}
	require.NoError(t, os.Chmod(c.dir, 0o755))
	targets := c.targets(t, bin)
	random := rand.New(rand.NewPCG(seed, 0))
	lines := make(chan *line)
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for l := range lines {
				if difference := c.compare(l); difference != "" {
					t.Errorf("seed %d: nsenter %s\n%s", seed, strings.Join(l.args(), " "), difference)
				}
			}
		})
	}
	for range commandLines() {
		lines <- c.makeUp(random, targets[random.IntN(len(targets))])
	}
	close(lines)
	workers.Wait()
	t.Logf("of %d command lines %d end with status 0; explained by defect 5: %d, 8: %d, 9: %d, 10: %d, denied: %d, outside: %d",
		commandLines(), c.successes, c.explained[5], c.explained[8], c.explained[9], c.explained[10], c.explained[denied],
		c.explained[outside])
	require.Greater(t, c.successes, commandLines()/4, "too few of the lines make sense")
}

// Defects of nsenter are called by their numbers in testdata/script, and these two by name: they make no script, since whoever meets
// them sees nsenter fail.
const (
	denied  = 13 // groups that cannot be dropped
	outside = 14 // a working directory outside of the root directory
)

type comparison struct {
	theirs, ours, probe, dir string
	root                     bool // not an ordinary user

	mu        sync.Mutex
	successes int
	explained [15]int // lines, by the defect of nsenter
}

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
		pidfd, foreign, err := ns.Foreign(p.pid, ns.All)
		require.NoError(t, err)
		require.NoError(t, pidfd.Close())
		p.foreign = foreign
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

// result is what came of a line.
type result struct {
	status, stdout, stderr string
}

// fields are the lines of the result that count, without descriptors beyond the standard ones. Whatever fails before the program
// starts says nothing but so.
func (r result) fields() []string {
	return append([]string{r.status}, strings.Split(extra.ReplaceAllString(r.stdout, ""), "\n")...)
}

var extra = regexp.MustCompile(`(?m)^fd ([3-9]|\d\d)\n`)

// deadline ends what hangs; it is no part of what is compared.
const deadline = 2 * time.Minute

func (c *comparison) run(program string, l *line, args []string) result {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = c.dir
	cmd.Env = append([]string{
		"PATH=" + filepath.Dir(c.probe) + ":/usr/bin:/bin", "LC_ALL=C", "AIRLOCK_FIXTURE_CENSUS=" + os.Getenv("AIRLOCK_FIXTURE_CENSUS"),
		"GORACE=atexit_sleep_ms=0",
	}, l.env...)
	cmd.Stdin = strings.NewReader(l.stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	r := result{status: "0", stdout: out.String(), stderr: errs.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.status = strconv.Itoa(exit.ExitCode())
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			r.status = unix.SignalName(status.Signal())
		}
	case err != nil:
		r.status = err.Error()
	}
	return r
}

// compare returns the difference that nothing explains, or "".
func (c *comparison) compare(l *line) string {
	theirs, ours := c.run(c.theirs, l, l.args()), c.run(c.ours, l, l.args())
	c.mu.Lock()
	defer c.mu.Unlock()
	if ours.status == "0" {
		c.successes++
	}
	if extra.MatchString(ours.stdout) {
		return "leaves descriptors open:\n" + ours.stdout
	}
	if extra.MatchString(theirs.stdout) {
		c.explained[10]++
	}
	if slices.Equal(theirs.fields(), ours.fields()) {
		return ""
	}
	args, defects := c.avoid(l, theirs)
	avoided := c.run(c.theirs, l, args)
	if refusal.MatchString(avoided.stderr) { // which another defect was in front of
		args, defects = c.avoid(l, avoided)
		avoided = c.run(c.theirs, l, args)
	}
	if !l.wd && astray.MatchString(avoided.stdout) {
		avoided.stdout = astray.ReplaceAllString(avoided.stdout, "wd / <nil>")
		defects = append(defects, outside)
	}
	if l.withoutGroups(c.root) {
		avoided.stdout = l.groupless(avoided.stdout)
		defects = append(defects, 9)
	}
	if len(defects) > 0 && slices.Equal(avoided.fields(), ours.fields()) {
		for _, d := range defects {
			c.explained[d]++
		}
		return ""
	}
	return fmt.Sprintf("nsenter:        %s\n%s%s\nairlock:        %s\n%s%s\nnsenter %s: %s\n%s%s", theirs.status, theirs.stdout, theirs.stderr,
		ours.status, ours.stdout, ours.stderr, strings.Join(args, " "), avoided.status, avoided.stdout, avoided.stderr)
}

// astray is a working directory that the root directory does not hold. nsenter leaves the program there where a new root directory and
// no working directory is asked for; it is a way out of the root, chroot(2), and airlock goes to the root.
var astray = regexp.MustCompile(`(?m)^wd  no such file or directory$`)

// refusal is how nsenter says that the kernel refuses a namespace.
var refusal = regexp.MustCompile(`^nsenter: reassociate to namespaces? .*(Operation not permitted|Invalid argument)`)

// avoid returns the line without what these defects make fail.
//
// 5: nsenter enters what the target shares with the caller, and is refused. Without -a, and without the types that are shared, it is not.
// 8: nsenter takes the equals sign of "-r=/dir" for part of the path.
//
// denied: nsenter fails in a user namespace in which groups cannot be dropped, user_namespaces(7), instead of keeping them.
func (c *comparison) avoid(l *line, theirs result) (args []string, defects []int) {
	shared := (l.all || l.types&^l.at.foreign != 0) && refusal.MatchString(theirs.stderr)
	if l.enters(ns.User) && !c.root {
		defects = append(defects, denied)
		args = append(args, "--preserve-credentials")
	}
	if shared {
		defects = append(defects, 5)
	}
	if l.equalsSign {
		defects = append(defects, 8)
	}
	for _, o := range l.options {
		switch {
		case slices.Contains(defects, denied) && (o.given[0] == "-G" || o.given[0] == "--setgid"):
		case o.avoids8 != nil:
			args = append(args, o.avoids8...)
		case shared && o.typ != 0 && !l.at.foreign.Has(o.typ):
		case shared && len(o.given) == 1 && strings.HasPrefix("--all", o.given[0]) && len(o.given[0]) > 2, shared && o.given[0] == "-a":
			for t := range (l.at.foreign &^ l.types).Each() {
				args = append(args, "-"+letters[t])
			}
		default:
			args = append(args, o.given...)
		}
	}
	return append(args, l.program...), defects
}

// enters reports whether a namespace of that type is entered that is not ours.
func (l *line) enters(t ns.Type) bool { return (l.all || l.types.Has(t)) && l.at.foreign.Has(t) }

// withoutGroups reports whether the line meets defect 9: with -S alone, nsenter keeps the group and all groups of root.
func (l *line) withoutGroups(root bool) bool {
	return root && l.setuid >= 0 && !l.setgid && !l.preserve && !l.enters(ns.User)
}

var (
	gidLine    = regexp.MustCompile(`(?m)^gid .*$`)
	groupsLine = regexp.MustCompile(`(?m)^groups .*$`)
)

// groupless is the output of a program whose gid is its uid, and that has no other groups.
func (l *line) groupless(stdout string) string {
	stdout = gidLine.ReplaceAllString(stdout, fmt.Sprintf("gid %d %[1]d %[1]d", l.setuid))
	return groupsLine.ReplaceAllString(stdout, "groups [] <nil>")
}
