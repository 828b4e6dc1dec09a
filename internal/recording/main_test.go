// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/internal/transcript"
)

// The picture in the repository is the one of the document; make generate draws it.
func TestPicture(t *testing.T) {
	source, err := os.ReadFile("../../docs/at-the-shell.md")
	require.NoError(t, err)
	text, err := transcript.First(source)
	require.NoError(t, err)
	var drawn bytes.Buffer
	draw(&drawn, text)
	picture, err := os.ReadFile("../../docs/at-the-shell.svg")
	require.NoError(t, err)
	require.Equal(t, drawn.String(), string(picture), "docs/at-the-shell.svg is not of the document any more: make generate")
}

func TestDraw(t *testing.T) {
	var drawn bytes.Buffer
	draw(&drawn, "$ echo '<a> & b'\n<a> & b\n")
	text := ""
	for dec := xml.NewDecoder(&drawn); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if data, ok := token.(xml.CharData); ok {
			text += string(data)
		}
	}
	require.Contains(t, text, "$ echo '<a> & b'\n<a> & b\n")
}
