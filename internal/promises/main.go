// SPDX-License-Identifier: Apache-2.0

// Promises runs the tests named TestPromiseNN of the whole module and prints a row a promise: its number, what is promised, the
// tests that keep it, and ok or FAIL. A promise whose test is missing or skipped is not kept. It exits with 1 unless all are.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	verbose := flag.Bool("v", false, "print what the tests print")
	flag.Parse()
	kept, err := run(*verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "promises:", err)
	}
	if err != nil || !kept {
		os.Exit(1)
	}
}

// event is a line of what go test -json prints, see go doc test2json.
type event struct {
	Action, Package, Test, Output string
}

// run reports whether every promise is kept.
func run(verbose bool) (kept bool, err error) {
	cmd := exec.Command("go", "test", "-json", "-count=1", "-run", "^TestPromise[0-9]", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return false, err
	}
	rows, err := read(bytes.NewReader(out), verbose)
	if err != nil {
		return false, err
	}
	return rows.print(os.Stdout), nil
}

// row is what is known of the tests of one promise.
type row struct {
	tests  []string
	failed []string // names, and why
}

type rows map[int]*row

var named = regexp.MustCompile(`^TestPromise([0-9]{2})[^/]*$`)

// read collects the outcome of tests. What is printed by one that fails, and by a package that does not build, goes to standard error.
func read(from io.Reader, verbose bool) (rows, error) {
	found := rows{}
	output := map[string]*strings.Builder{}
	for events := json.NewDecoder(from); ; {
		var e event
		if err := events.Decode(&e); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, err
		}
		top, _, _ := strings.Cut(e.Test, "/")
		of := e.Package + " " + top
		switch e.Action {
		case "output", "build-output":
			if output[of] == nil {
				output[of] = &strings.Builder{}
			}
			output[of].WriteString(e.Output)
		case "fail", "build-fail":
			if e.Test == top && output[of] != nil {
				io.WriteString(os.Stderr, output[of].String())
			}
		}
		if verbose && e.Action == "output" {
			io.WriteString(os.Stderr, e.Output)
		}
		if match := named.FindStringSubmatch(e.Test); match != nil {
			number, _ := strconv.Atoi(match[1])
			found.add(number, e)
		}
	}
}

func (r rows) add(number int, e event) {
	if r[number] == nil {
		r[number] = &row{}
	}
	switch e.Action {
	case "run":
		r[number].tests = append(r[number].tests, e.Test)
	case "fail", "skip":
		r[number].failed = append(r[number].failed, e.Test+" "+e.Action)
	}
}

// print prints the rows, and reports whether every promise is kept.
func (r rows) print(to io.Writer) (kept bool) {
	kept = true
	for i, promise := range promises {
		number, outcome := i+1, "ok"
		tests := r[number]
		switch {
		case tests == nil:
			tests, outcome = &row{tests: []string{"no test"}}, "FAIL"
		case len(tests.failed) > 0:
			outcome = "FAIL: " + strings.Join(tests.failed, ", ")
		}
		kept = kept && outcome == "ok"
		fmt.Fprintf(to, "%2d  %-72s  %s  %s\n", number, promise, strings.Join(tests.tests, " "), outcome)
	}
	return kept
}
