// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
)

// fishCompletion makes the script, complete(1) of fish.
func fishCompletion() string {
	var b strings.Builder
	b.WriteString("# fish completion of airlock, made by \"airlock completion fish\".\n\ncomplete -c airlock -f\n" +
		"complete -c airlock -n __fish_use_subcommand -l help -d 'print the commands'\n" +
		"complete -c airlock -n __fish_use_subcommand -l version -d 'print the version'\n")
	for _, c := range completed() {
		fmt.Fprintf(&b, "\ncomplete -c airlock -n __fish_use_subcommand -a %s -d %s\n", c.name, fishQuote(c.summary))
		here := "complete -c airlock -n '__fish_seen_subcommand_from " + c.name + "'"
		for _, o := range c.options() {
			b.WriteString(here)
			if o.short != 0 {
				fmt.Fprintf(&b, " -s %c", o.short)
			}
			fmt.Fprintf(&b, " -l %s%s -d %s\n", o.long, fishValues(o), fishQuote(o.help))
		}
		switch words := c.operandWords(); {
		case words != nil:
			fmt.Fprintf(&b, "%s -a %s\n", here, fishQuote(strings.Join(words, " ")))
		case c.name == "enter":
			fmt.Fprintf(&b, "%s -a '(airlock completion containers 2>/dev/null)' -d container\n%[1]s -a '(__fish_complete_subcommand)'\n", here)
		case c.name == "run":
			fmt.Fprintf(&b, "%s -a '(__fish_complete_subcommand)'\n", here)
		}
	}
	return b.String()
}

// fishValues is what follows the option; a value that may only be glued to it is not asked for after a space.
func fishValues(o option) string {
	if o.value == none {
		return ""
	}
	flags := " -x"
	if o.value == optional {
		flags = ""
	}
	switch kind, of := o.values(); kind {
	case ofFiles:
		if o.value == required {
			return " -r -F"
		}
		return flags
	case ofDirectories:
		return flags + " -a '(__fish_complete_directories)'"
	case ofTargets:
		return flags + " -a '(airlock completion containers 2>/dev/null) (__fish_complete_pids)'"
	case ofPIDs:
		return flags + " -a '(__fish_complete_pids)'"
	case ofWords:
		return flags + " -a " + fishQuote(strings.Join(of, " "))
	case ofLists:
		return flags + " -a '(__fish_append , " + strings.Join(of, " ") + ")'"
	}
	return flags
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
