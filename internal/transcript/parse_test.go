// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

const document = "# Title\n\n" +
	"<!-- needs: root, ip -->\n<!-- varies: pid \\d+ -->\n<!-- status: 3 -->\n" +
	"```console\n$ one \\\n  two\nout 1\nout 2\n# three\n```\n\n" +
	"```json\n{}\n```\n\n" +
	"text\n\n```console\n$ four\n```\n"

func TestParse(t *testing.T) {
	blocks, err := parse([]byte(document))
	require.NoError(t, err)
	require.Len(t, blocks, 2)
	b := blocks[0]
	require.Equal(t, 7, b.line)
	require.Equal(t, []string{"root", "ip"}, b.needs)
	require.Equal(t, 3, b.status)
	require.Len(t, b.varies, 1)
	require.Equal(t, []command{{"$ ", "one \\\n  two", "out 1\nout 2\n"}, {"# ", "three", ""}}, b.commands)
	require.Equal(t, document[b.start:b.end], b.text())
	require.Empty(t, blocks[1].needs, "the directives of the first block are its own")
	require.Zero(t, blocks[1].status)
}

func TestParseRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"```console\nno prompt\n```\n":                       "begins with a command",
		"<!-- nedes: root -->\n```console\n$ x\n```\n":       "no such directive",
		"<!-- varies: ( -->\n```console\n$ x\n```\n":         "missing closing",
		"<!-- in: a folder -->\n```console\n$ x\n```\n":      "an empty folder",
		"<!-- container: docker -->\n```console\n$ x\n```\n": "engine and a name",
	} {
		_, err := parse([]byte(text))
		require.ErrorContains(t, err, why, text)
	}
}

func TestAgree(t *testing.T) {
	pid := []*regexp.Regexp{regexp.MustCompile(`"pid": \d+`)}
	for _, c := range []struct {
		want, got string
		agree     bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\nc\n", false},
		{"a\nb\n", "a\n", false},
		{"a\n", "a\nb\n", false},
		{"", "", true},
		{"", "a\n", false},
		{"took 2.1ms\n", "took 15 µs\n", true},
		{"took 2.1ms\n", "took 2.1\n", false},
		{"took 2.1s\n", "took 1h2m0.5s\n", true},
		{"net:[1] and mnt:[2]\n", "net:[3] and mnt:[4]\n", true},
		{"net:[1]\n", "mnt:[1]\n", false},
		{`"pid": 6,`, `"pid": 12,`, true},
		{`"uid": 6,`, `"uid": 12,`, false},
		{"a\n…\nz\n", "a\nb\nc\nz\n", true},
		{"a\n…\nz\n", "a\nz\n", true},
		{"a\n…\nz\n", "a\nb\n", false},
		{"…\nz\n", "z\nz\n", true},
		{"a\n…\n", "a\nb\n", true},
	} {
		require.Equal(t, c.agree, agree(c.want, c.got, pid), "%q %q", c.want, c.got)
	}
}
