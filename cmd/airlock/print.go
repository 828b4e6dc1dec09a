// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"
)

func printJSON(w io.Writer, rows []*row) error {
	if rows == nil {
		rows = []*row{}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "   ")
	return out.Encode(map[string][]*row{"namespaces": rows})
}

// rowLine is a row of the table, indented where it is one of a tree.
type rowLine struct {
	*row
	indent string
}

// columns of the table; the last takes the room that is left.
var columns = []struct {
	name  string
	right bool
	text  func(rowLine) string
}{
	{"ID", true, func(l rowLine) string { return strconv.FormatUint(l.ID, 10) }},
	{"TYPE", false, func(l rowLine) string { return l.Type.String() }},
	{"PROCS", true, func(l rowLine) string { return strconv.Itoa(l.Processes) }},
	{"PID", true, func(l rowLine) string { return number(l.PID) }},
	{"USER", false, func(l rowLine) string { return l.User }},
	{"CONTAINER", false, func(l rowLine) string { return l.Container }},
	{"PATH", false, func(l rowLine) string { return l.Path }},
	{"COMMAND", false, func(l rowLine) string { return l.indent + l.what() }},
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// print prints the table, in the order and with the indents of the lines, or of ids. Columns without any text are left out.
func (l *listing) print(rows []*row, lines []rowLine) error {
	if lines == nil {
		slices.SortStableFunc(rows, func(a, b *row) int {
			return cmp.Or(cmp.Compare(a.ID, b.ID))
		})
		for _, r := range rows {
			lines = append(lines, rowLine{row: r})
		}
	}
	cells, widths := make([][]string, len(lines)), make([]int, len(columns))
	for i, shown := range lines {
		for c, column := range columns {
			text := printable(column.text(shown))
			cells[i] = append(cells[i], text)
			widths[c] = max(widths[c], len(text))
		}
	}
	out := bufio.NewWriter(os.Stdout)
	room, bold, plain := 0, "", ""
	if term.IsTerminal(1) {
		room, _, _ = term.GetSize(1)
		if os.Getenv("NO_COLOR") == "" {
			bold, plain = "\x1b[1m", "\x1b[m"
		}
	}
	if !l.bare {
		heading := make([]string, len(columns))
		for c, column := range columns {
			heading[c] = column.name
			if widths[c] > 0 {
				widths[c] = max(widths[c], len(column.name))
			}
		}
		out.WriteString(bold + fit(heading, widths, room) + plain + "\n")
	}
	for _, row := range cells {
		out.WriteString(fit(row, widths, room) + "\n")
	}
	return out.Flush()
}

// fit makes a line of the cells, which is cut where there is no more room. No room stands for any.
func fit(cells []string, widths []int, room int) string {
	var b strings.Builder
	for c, text := range cells {
		pad := widths[c] - len(text)
		switch {
		case widths[c] == 0:
			continue
		case b.Len() > 0:
			b.WriteByte(' ')
		}
		if columns[c].right {
			b.WriteString(strings.Repeat(" ", pad))
		}
		b.WriteString(text)
		if !columns[c].right && c < len(cells)-1 {
			b.WriteString(strings.Repeat(" ", max(pad, 0)))
		}
	}
	line := strings.TrimRight(b.String(), " ")
	if runes := []rune(line); room > 0 && len(runes) > room {
		line = string(runes[:room])
	}
	return line
}

// printable replaces what would move the cursor, or worse: a process chooses its command line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}
