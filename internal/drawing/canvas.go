// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// canvas collects the elements of an SVG, in pixels.
type canvas struct{ strings.Builder }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// style holds what elements have in common. The picture is shown on white and on black pages: it brings its own background.
const style = `text { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328 }
.quiet { fill: #59636e; font-size: 13px }
.code { fill: #1f2328; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace }
.head { font-weight: 600 }
.title { font-size: 17px; font-weight: 600 }
.middle { text-anchor: middle }
.end { text-anchor: end }
.page { fill: #ffffff; stroke: #d1d9e0 }
.lane { fill: #f6f8fa; stroke: #d1d9e0 }
.target { fill: #dafbe1; stroke: #1a7f37; stroke-dasharray: 5 4 }
.inside { fill: #1a7f37; font-weight: 600 }
.box { fill: #ffffff; stroke: #818b98 }
.caller { fill: #ddf4ff; stroke: #0969da }
.arrow { stroke: #1f2328; stroke-width: 1.5; marker-end: url(#head) }`

// head begins a picture of this size.
func (c *canvas) head(width, height int, title string) {
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label="%[3]s">`, width, height, escape(title))
	c.add("<!-- Made by internal/drawing: make generate -->")
	c.add("<style>\n%s\n</style>", style)
	c.add(`<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">` +
		`<path d="M0 0 10 5 0 10z" fill="#1f2328"/></marker></defs>`)
	c.rect(1, 1, width-2, height-2, "page")
}

func (c *canvas) rect(x, y, width, height int, class string) {
	c.add(`<rect x="%d" y="%d" width="%d" height="%d" rx="8" class="%s"/>`, x, y, width, height, class)
}

func (c *canvas) text(x, y int, class, text string) {
	if text == "" {
		return
	}
	c.add(`<text x="%d" y="%d" class="%s">%s</text>`, x, y, class, escape(text))
}

// titled writes a title, and code after it.
func (c *canvas) titled(x, y int, title, code string) {
	c.add(`<text x="%d" y="%d" class="title">%s <tspan class="code" dx="8">%s</tspan></text>`, x, y, escape(title), escape(code))
}

func (c *canvas) line(x1, y1, x2, y2 int, class string) {
	c.add(`<line x1="%d" y1="%d" x2="%d" y2="%d" class="%s"/>`, x1, y1, x2, y2, class)
}

// Sizes of a box: the height of a line, and what is left free above, below and before the lines.
const (
	lineHeight = 19
	padding    = 10
)

// boxHeight is that of a box with so many lines.
func boxHeight(lines int) int { return lines*lineHeight + 2*padding - 4 }

// box draws lines in a box. A line in backquotes is code, one that begins with "# " is bold.
func (c *canvas) box(x, y, width int, class string, lines []string) {
	c.rect(x, y, width, boxHeight(len(lines)), class)
	for i, line := range lines {
		class := lineClass(&line)
		c.text(x+padding+2, y+padding+lineHeight*i+11, class, line)
	}
}

// lineClass takes the marks off a line and returns the class that they mean.
func lineClass(line *string) string {
	switch code := strings.Trim(*line, "`"); {
	case code != *line:
		*line = code
		return "code"
	case strings.HasPrefix(*line, "# "):
		*line = (*line)[2:]
		return "head"
	}
	return "quiet"
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}
