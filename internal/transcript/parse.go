// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// block is a console block of a document.
type block struct {
	line       int // of the document, where its first command stands
	start, end int // of its text in the document, in bytes
	needs      []string
	container  []string // engine and name
	varies     []*regexp.Regexp
	status     int
	apart      bool // in an empty folder
	commands   []command
}

// command is one of a block's, and what it is to print.
type command struct {
	prompt, text, output string
}

var directive = regexp.MustCompile(`<!-- (\w+): (.*?) -->`)

// parse returns the console blocks of a document.
func parse(source []byte) ([]block, error) {
	var blocks []block
	document := goldmark.DefaultParser().Parse(text.NewReader(source))
	err := ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		code, ok := n.(*ast.FencedCodeBlock)
		if !entering || !ok || string(code.Language(source)) != "console" || code.Lines().Len() == 0 {
			return ast.WalkContinue, nil
		}
		b, err := parseBlock(code, source)
		if err != nil {
			return ast.WalkStop, fmt.Errorf("line %d: %w", b.line, err)
		}
		blocks = append(blocks, b)
		return ast.WalkContinue, nil
	})
	return blocks, err
}

func parseBlock(code *ast.FencedCodeBlock, source []byte) (block, error) {
	lines := code.Lines()
	b := block{start: lines.At(0).Start, end: lines.At(lines.Len() - 1).Stop}
	b.line = 1 + bytes.Count(source[:b.start], []byte("\n"))
	for before := code.PreviousSibling(); before != nil; before = before.PreviousSibling() {
		html, ok := before.(*ast.HTMLBlock)
		if !ok {
			break
		}
		// The parser ends a comment block with its line, so consecutive ones are siblings.
		for _, m := range directive.FindAllSubmatch(html.Lines().Value(source), -1) {
			if err := b.direct(string(m[1]), string(m[2])); err != nil {
				return b, err
			}
		}
	}
	return b, b.parseCommands(string(source[b.start:b.end]))
}

// direct takes a directive.
func (b *block) direct(name, value string) (err error) {
	switch name {
	case "needs":
		b.needs = append(b.needs, strings.Split(value, ", ")...)
	case "container":
		if b.container = strings.Fields(value); len(b.container) != 2 {
			return fmt.Errorf("container: %q is not an engine and a name", value)
		}
	case "varies":
		var re *regexp.Regexp
		if re, err = regexp.Compile(value); err == nil {
			b.varies = append(b.varies, re)
		}
	case "status":
		b.status, err = strconv.Atoi(value)
	case "in":
		if b.apart = value == "an empty folder"; !b.apart {
			err = fmt.Errorf("in: %q is not %q", value, "an empty folder")
		}
	default:
		err = fmt.Errorf("no such directive: %q", name)
	}
	return err
}

func (b *block) parseCommands(text string) error {
	open := false // the command goes on in the next line
	for line := range strings.Lines(text) {
		bare := strings.TrimSuffix(line, "\n")
		last := len(b.commands) - 1
		switch {
		case open:
			b.commands[last].text += "\n" + bare
		case strings.HasPrefix(line, "$ ") || strings.HasPrefix(line, "# "):
			b.commands = append(b.commands, command{prompt: line[:2], text: bare[2:]})
		case last < 0:
			return fmt.Errorf("a console block begins with a command, not with %q", bare)
		default:
			b.commands[last].output += line
			continue
		}
		open = strings.HasSuffix(bare, `\`)
	}
	return nil
}

// text is what stands in the document.
func (b *block) text() string {
	var s strings.Builder
	for _, c := range b.commands {
		s.WriteString(c.prompt + c.text + "\n" + c.output)
	}
	return s.String()
}

// First returns the text of the first console block of a document.
func First(source []byte) (string, error) {
	blocks, err := parse(source)
	if err != nil {
		return "", err
	}
	if len(blocks) == 0 {
		return "", errors.New("no console block")
	}
	return blocks[0].text(), nil
}
