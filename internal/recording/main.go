// SPDX-License-Identifier: Apache-2.0

// Recording draws the first console block of a document as the window of a terminal, in SVG on standard output. The commands of the
// block are run by the document's test, so the picture is of a real run.
//
// Usage: recording DOCUMENT
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/airlock-ns/airlock/internal/transcript"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "recording:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: recording DOCUMENT")
	}
	source, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	text, err := transcript.First(source)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	out := bufio.NewWriter(os.Stdout)
	draw(out, text)
	return out.Flush()
}

// In pixels. The widths are those of a font whose characters are 0.602 as wide as high, as those of the families below are.
const (
	fontSize = 14
	column   = fontSize * 0.602
	line     = 20
	margin   = 18
	bar      = 30 // the height of the window's title bar
)

// draw writes a picture of a terminal that shows text. It has a background of its own, for pages light and dark.
func draw(w io.Writer, text string) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	columns := 0
	for _, l := range lines {
		columns = max(columns, utf8.RuneCountInString(l))
	}
	width, height := int(float64(columns)*column)+2*margin, bar+len(lines)*line+margin
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(w, "<title>airlock at a terminal</title>\n<desc>%s</desc>\n", html.EscapeString(text))
	fmt.Fprintln(w, `<style>
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #c9d1d9; white-space: pre; }
.prompt { fill: #7ee787; }
.command { fill: #ffffff; font-weight: bold; }
</style>`)
	fmt.Fprintf(w, `<rect width="%d" height="%d" rx="8" fill="#161b22"/>`+"\n", width, height)
	for i, colour := range []string{"#ff5f56", "#ffbd2e", "#27c93f"} {
		fmt.Fprintf(w, `<circle cx="%d" cy="%d" r="6" fill="%s"/>`+"\n", margin+2+20*i, bar/2+2, colour)
	}
	for i, l := range lines {
		fmt.Fprintf(w, `<text x="%d" y="%d" xml:space="preserve">`, margin, bar+line*i+fontSize+2)
		prompt, command, ok := strings.Cut(l, " ")
		if ok && (prompt == "$" || prompt == "#") {
			fmt.Fprintf(w, `<tspan class="prompt">%s</tspan> <tspan class="command">%s</tspan>`, prompt, html.EscapeString(command))
		} else {
			fmt.Fprint(w, html.EscapeString(l))
		}
		fmt.Fprintln(w, "</text>")
	}
	fmt.Fprintln(w, "</svg>")
}
