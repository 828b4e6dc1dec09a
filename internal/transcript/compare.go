// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"regexp"
	"strings"
)

// always are what differs from run to run in any document. What the first group of an expression holds is kept, if it has one.
var always = []*regexp.Regexp{
	regexp.MustCompile(`\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?\s?(?:ns|µs|ms|s)\b`),
	regexp.MustCompile(`\b((?:cgroup|ipc|mnt|net|pid|time|user|uts)(?:_for_children)?:\[)\d+\]`),
}

// anyLines stands for lines that the document leaves out.
const anyLines = "…"

// agree tells whether got is what the document wants, apart from what varies.
func agree(want, got string, varies []*regexp.Regexp) bool {
	return agreeLines(lines(want, varies), lines(got, varies))
}

func lines(s string, varies []*regexp.Regexp) []string {
	for _, re := range append(varies, always...) {
		s = re.ReplaceAllString(s, "$1<…>")
	}
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i := range all {
		all[i] = strings.TrimRight(all[i], " ")
	}
	return all
}

func agreeLines(want, got []string) bool {
	for i, line := range want {
		if line == anyLines {
			for n := range len(got) - i + 1 {
				if agreeLines(want[i+1:], got[i+n:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || got[i] != line {
			return false
		}
	}
	return len(want) == len(got)
}
