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
