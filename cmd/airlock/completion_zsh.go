// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
)

// zshCompletion makes the script, whose specifications are those of _arguments, zshcompsys(1).
func zshCompletion() string {
	var commands, cases strings.Builder
	for _, c := range completed() {
		fmt.Fprintf(&commands, "\t\t%s\n", zshQuote(c.name+":"+c.summary))
		fmt.Fprintf(&cases, "\t%s)\n\t\t_arguments -s -S", c.name)
		for _, o := range c.options() {
			fmt.Fprintf(&cases, " \\\n\t\t\t%s", zshOption(o))
		}
		switch words := c.operandWords(); {
		case words != nil:
			fmt.Fprintf(&cases, " \\\n\t\t\t%s", zshQuote("1:"+c.name+":("+strings.Join(words, " ")+")"))
		case c.name == "enter":
			cases.WriteString(" \\\n\t\t\t'(-)1:container or program:_airlock_programs' '*::argument:_normal'")
		case c.name == "run":
			cases.WriteString(" \\\n\t\t\t'(-)1:program:_command_names -e' '*::argument:_normal'")
		}
		cases.WriteString("\n\t\t;;\n")
	}
	return strings.NewReplacer("@COMMANDS@", commands.String(), "@CASES@", cases.String()).Replace(zshTemplate)
}

func zshOption(o option) string {
	text := "[" + strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(o.help) + "]"
	name := strings.NewReplacer(":", `\:`).Replace(o.name)
	long, short, value := "--"+o.long, "-"+string(o.short), ""
	switch o.value {
	case required:
		long, short, value = long+"=", short+"+", ":"+name+":"+zshValues(o)
	case optional:
		long, short, value = long+"=-", short+"-", "::"+name+":"+zshValues(o)
	}
	if o.short == 0 {
		return zshQuote(long + text + value)
	}
	return zshQuote("(-"+string(o.short)+" --"+o.long+")") + "{" + zshQuote(short) + "," + zshQuote(long) + "}" + zshQuote(text+value)
}

func zshValues(o option) string {
	switch kind, of := o.values(); kind {
	case ofFiles:
		return "_files"
	case ofDirectories:
		return "_files -/"
	case ofTargets:
		return "_airlock_targets"
	case ofPIDs:
		return "_pids"
	case ofWords:
		return "(" + strings.Join(of, " ") + ")"
	case ofLists:
		return "_sequence compadd - " + strings.Join(of, " ")
	}
	return " "
}

func zshQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

const zshTemplate = `#compdef airlock
# zsh completion of airlock, made by "airlock completion zsh".

_airlock_containers() {
	local -a running=(${(f)"$(_call_program containers airlock completion containers 2>/dev/null)"})
	compadd -a running
}

_airlock_targets() { _alternative 'containers:container:_airlock_containers' 'pids:pid:_pids'; }

_airlock_programs() { _alternative 'containers:container:_airlock_containers' 'programs:program:_command_names -e'; }

_airlock() {
	local -a commands=(
@COMMANDS@	)
	if ((CURRENT == 2)); then
		_describe command commands
		return
	fi
	words=("${(@)words[2,-1]}")
	((CURRENT--))
	case $words[1] in
@CASES@	esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
	_airlock "$@"
else
	compdef _airlock airlock
fi
`
