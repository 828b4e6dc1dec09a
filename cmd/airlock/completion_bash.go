// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
)

// bashCompletion makes the script. Readline breaks words at ":" and "=", so the words are taken from the line, and what it has
// completed already is cut off the candidates.
func bashCompletion() string {
	var needs, options, values, operands strings.Builder
	var names []string
	for _, c := range completed() {
		names = append(names, c.name)
		var all []string
		for _, o := range c.options() {
			var spelled []string
			if o.short != 0 {
				spelled = append(spelled, "-"+string(o.short))
			}
			spelled = append(spelled, "--"+o.long)
			for _, s := range spelled {
				if o.value == required {
					fmt.Fprintf(&needs, " %s:%s", c.name, s)
				}
			}
			if action := bashValues(o); action != "" {
				fmt.Fprintf(&values, "\t%s:%s) %s ;;\n", c.name, strings.Join(spelled, "|"+c.name+":"), action)
			}
			all = append(all, spelled...)
			if o.value == optional {
				all = append(all, "--"+o.long+"=")
			}
		}
		if len(all) > 0 {
			fmt.Fprintf(&options, "\t%s) _airlock_of '%s' ;;\n", c.name, strings.Join(all, " "))
		}
		if words := c.operandWords(); words != nil {
			fmt.Fprintf(&operands, "\t%s) _airlock_of '%s' ;;\n", c.name, strings.Join(words, " "))
		}
	}
	return strings.NewReplacer("@NEEDS@", needs.String(), "@OPTIONS@", options.String(), "@VALUES@", values.String(),
		"@OPERANDS@", operands.String(), "@COMMANDS@", strings.Join(names, " ")).Replace(bashTemplate)
}

func bashValues(o option) string {
	switch kind, of := o.values(); kind {
	case ofFiles:
		return `COMPREPLY=($(compgen -f -- "$part"))`
	case ofDirectories:
		return `COMPREPLY=($(compgen -d -- "$part"))`
	case ofTargets:
		return `_airlock_of "$(airlock completion containers 2>/dev/null) $(_airlock_pids)"`
	case ofPIDs:
		return `_airlock_of "$(_airlock_pids)"`
	case ofWords:
		return "_airlock_of '" + strings.Join(of, " ") + "'"
	case ofLists:
		return "_airlock_list '" + strings.Join(of, " ") + "'"
	}
	return ""
}

const bashTemplate = `# bash completion of airlock, made by "airlock completion bash".

_airlock_of() { COMPREPLY=($(compgen -W "$1" -- "$part")); }

_airlock_list() {
	local before=
	[[ $part == *,* ]] && before=${part%,*},
	COMPREPLY=($(compgen -P "$before" -W "$1" -- "${part##*,}"))
}

_airlock_pids() { local path; for path in /proc/[0-9]*; do echo "${path##*/}"; done; }

_airlock_values() {
	case $command:$1 in
@VALUES@	esac
}

_airlock_options() {
	case $command in
@OPTIONS@	esac
	[[ ${COMPREPLY[0]-} == *= && ${#COMPREPLY[@]} == 1 ]] && compopt -o nospace 2>/dev/null
}

_airlock_operands() {
	case $command in
@OPERANDS@	enter) COMPREPLY=($(compgen -W "$(airlock completion containers 2>/dev/null)" -- "$part") $(compgen -c -- "$part")) ;;
	run) COMPREPLY=($(compgen -c -- "$part")) ;;
	esac
}

_airlock() {
	local line=${COMP_LINE:0:COMP_POINT} part word command expects= program=
	local -a given
	local -r needs='@NEEDS@ '
	read -r -a given <<<"$line"
	part=${line##*[[:space:]]}
	[[ -n $part ]] && unset 'given[${#given[@]}-1]'
	command=${given[1]-}
	for word in "${given[@]:2}"; do
		if [[ -n $expects ]]; then
			expects=
		elif [[ $word == -- || $word != -* && $word != *://* ]]; then
			program=yes
		elif [[ $needs == *" $command:$word "* ]]; then
			expects=$word
		fi
	done
	COMPREPLY=()
	if [[ -z $command ]]; then
		_airlock_of '@COMMANDS@ --help --version'
	elif [[ -n $program ]]; then
		compopt -o bashdefault -o default 2>/dev/null
	elif [[ -n $expects ]]; then
		_airlock_values "$expects"
	elif [[ $part == --*=* ]]; then
		word=${part%%=*} part=${part#*=}
		_airlock_values "$word"
	elif [[ $part == -* ]]; then
		_airlock_options
	else
		_airlock_operands
	fi
	if [[ $COMP_WORDBREAKS == *:* && $part == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${part%"${part##*:}"}"}")
	fi
}

complete -F _airlock airlock
`
