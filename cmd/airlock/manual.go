// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// page is one of the manual, whatever it is printed as. It has the name of a program, or of a program and a command.
type page struct {
	name, summary string
	sections      []section
}

// title is what man(1) knows the page by.
func (p page) title() string { return strings.ReplaceAll(p.name, " ", "-") }

// section is a part of a page: paragraphs, in which those that begin with two spaces are commands, or options.
type section struct {
	title   string
	text    []string
	options []option
}

// pages are the manual, made of the tables of commands, options and topics.
func pages() []page {
	first := page{name: "airlock", summary: "enter namespaces, make them, list them"}
	var synopsis, names []string
	for _, c := range visible() {
		synopsis = append(synopsis, "  "+c.synopsis())
		names = append(names, fmt.Sprintf("airlock %s: %s.", c.name, c.summary))
	}
	first.sections = []section{{title: "Synopsis", text: append(synopsis, "  airlock help [command|topic]", "  airlock --help | --version")}}
	first.sections = append(first.sections, section{title: "Commands", text: names})
	for _, t := range topics() {
		first.sections = append(first.sections, section{title: t.title, text: t.text})
	}
	all := []page{first}
	for _, c := range visible() {
		if c.tables == nil {
			continue
		}
		p := page{name: "airlock " + c.name, summary: c.summary}
		p.sections = []section{{title: "Synopsis", text: []string{"  " + c.synopsis()}}, {title: "Description", text: c.description}}
		for i, options := range c.tables() {
			title := "Options"
			if i > 0 {
				title = "Options beyond nsenter"
			}
			p.sections = append(p.sections, section{title: title, options: options})
		}
		p.sections = append(p.sections, section{title: "Examples", text: c.examples})
		p.sections = append(p.sections, section{title: "See also", text: []string{"airlock(1), namespaces(7), " + c.also}})
		all = append(all, p)
	}
	return append(all, enginePage())
}

// enginePage is the page of the program that airlock asks.
func enginePage() page {
	return page{name: "airlock-engine", summary: "find containers by name", sections: []section{
		{title: "Synopsis", text: []string{"  airlock-engine resolve REFERENCE", "  airlock-engine list", "  airlock-engine --help | --version"}},
		{title: "Description", text: []string{
			"Asks the container engines of this host, through their local sockets, and prints what is found as a JSON object a line. resolve prints " +
				"the one container that the reference means, list all that run. References are those of airlock(1), which runs this program.",
			`  {"engine":"docker","namespace":"","id":"4f1c...","name":"web","pid":4711}`,
		}},
		{title: "Exit status", text: []string{"1 if there is no such container, or if an engine fails."}},
		{title: "See also", text: []string{"airlock(1)"}},
	}}
}

// files are the manual as it is kept in the tree, by their names.
func files() map[string]string {
	made := map[string]string{}
	var reference strings.Builder
	reference.WriteString("# Commands\n")
	for _, p := range pages() {
		made[filepath.Join("man", p.title()+".1")] = p.roff()
		reference.WriteString("\n" + p.markdown())
	}
	made["commands.md"] = reference.String()
	return made
}

// writeManual writes the files below a directory.
func writeManual(_ string, args []string) error {
	if len(args) != 1 {
		return errors.New("it takes one directory")
	}
	for name, text := range files() {
		path := filepath.Join(args[0], name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// term is how an option is written.
func (o option) term() string {
	var names []string
	if o.short != 0 {
		names = append(names, "-"+string(o.short))
	}
	names = append(names, "--"+o.long)
	text := strings.Join(names, ", ")
	switch o.value {
	case required:
		return text + " " + o.name
	case optional:
		return text + "[=" + o.name + "]"
	}
	return text
}

// markdown is the page for a browser.
func (p page) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s.\n", p.name, capital(p.summary))
	for _, s := range p.sections {
		fmt.Fprintf(&b, "\n### %s\n\n", s.title)
		code := false
		for _, text := range s.text {
			line, isCode := strings.CutPrefix(text, "  ")
			switch {
			case isCode && !code:
				b.WriteString("```sh\n")
			case !isCode && code:
				b.WriteString("```\n\n")
			}
			code = isCode
			if isCode {
				b.WriteString(line + "\n")
			} else {
				b.WriteString(text + "\n\n")
			}
		}
		if code {
			b.WriteString("```\n")
		}
		if len(s.options) > 0 {
			b.WriteString("| option | |\n|---|---|\n")
		}
		for _, o := range s.options {
			fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(o.term(), "|", `\|`), o.help)
		}
	}
	return strings.ReplaceAll(b.String(), "\n\n\n", "\n\n")
}

// roff is the page for man(1), groff_man(7).
func (p page) roff() string {
	var b strings.Builder
	fmt.Fprintf(&b, ".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Made by \"make generate\".\n.TH %s 1 \"\" airlock\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(p.title()), roff(p.title()), roff(p.summary))
	for _, s := range p.sections {
		fmt.Fprintf(&b, ".SH %s\n", strings.ToUpper(s.title))
		code := false
		for i, text := range s.text {
			line, isCode := strings.CutPrefix(text, "  ")
			if code && !isCode {
				b.WriteString(".EE\n")
			}
			if i > 0 && !(code && isCode) { // a heading begins a paragraph
				b.WriteString(".PP\n")
			}
			if isCode && !code {
				b.WriteString(".EX\n")
			}
			code = isCode
			if !isCode {
				line = wrap(line, 78)
			}
			for line := range strings.SplitSeq(line, "\n") {
				b.WriteString(roff(line) + "\n")
			}
		}
		if code {
			b.WriteString(".EE\n")
		}
		for _, o := range s.options {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fR\n%s\n", roff(o.term()), roff(o.help))
		}
	}
	return b.String()
}

// roff escapes what roff would read, groff_char(7).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "^", `\(ha`, "'", `\(aq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
