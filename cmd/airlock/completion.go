// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/airlock-ns/airlock/ns"
)

// completion prints the script for a shell, or, for these scripts, the containers that run.
func completion(_ string, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("for which shell: bash, zsh or fish?")
	}
	switch args[0] {
	case "bash":
		fmt.Print(bashCompletion())
	case "zsh":
		fmt.Print(zshCompletion())
	case "fish":
		fmt.Print(fishCompletion())
	case "containers":
		for _, one := range listContainers(2 * time.Second) {
			fmt.Println(one)
		}
	default:
		return fmt.Errorf("%q is none of bash, zsh and fish", args[0])
	}
	return nil
}

// kind is what the values of an option are, or the operands of a command.
type kind int

const (
	ofAny         kind = iota
	ofFiles            // also of a namespace
	ofDirectories      //
	ofTargets          // containers and pids
	ofPIDs             //
	ofWords            // one of a few
	ofLists            // some of a few, with commas between
)

// values says what an option takes, by the name of its value.
func (o option) values() (kind, []string) {
	switch {
	case strings.Contains(o.name, "container"):
		return ofTargets, nil
	case o.name == "PID":
		return ofPIDs, nil
	case o.name == "type,...":
		return ofLists, strings.Split(ns.All.String(), ",")
	case o.name == "part,...":
		return ofLists, partNames[:]
	case strings.HasPrefix(o.name, "file"):
		return ofFiles, nil
	case o.name == "directory":
		return ofDirectories, nil
	case strings.Contains(o.name, "|") && !strings.ContainsAny(o.name, ":") && !strings.Contains(o.name, "id"):
		return ofWords, strings.Split(o.name, "|")
	}
	return ofAny, nil
}

// operandWords are what the first operand of a command is one of, if it is.
func (c subcommand) operandWords() (words []string) {
	switch c.name {
	case "completion":
		return strings.Split(c.operands, "|")
	case "help":
		for _, one := range visible() {
			words = append(words, one.name)
		}
		for _, t := range topics() {
			words = append(words, t.name)
		}
	}
	return words
}

// completed are the commands that are completed.
func completed() []subcommand {
	return append(visible(), *find("help"))
}

// options are all of a command.
func (c subcommand) options() (all []option) {
	if c.tables != nil {
		for _, table := range c.tables() {
			all = append(all, table...)
		}
	}
	return all
}
