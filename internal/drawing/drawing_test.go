// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/xml"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher"
	"github.com/airlock-ns/airlock/ns"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// The picture in the tree is what this program prints: "make generate" writes it.
func TestPictureIsUpToDate(t *testing.T) {
	kept, err := os.ReadFile("../../docs/how-it-works.svg")
	require.NoError(t, err)
	require.Equal(t, picture(), string(kept), "make generate")
}

func TestPictureIsWellFormed(t *testing.T) {
	for d := xml.NewDecoder(strings.NewReader(picture())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else {
			require.NoError(t, err)
		}
	}
}

// Code stays in its box, whose lines are 7.9 pixels a character at most.
func TestCodeFits(t *testing.T) {
	check := func(lines []string, width int) {
		for _, line := range lines {
			if lineClass(&line) == "code" {
				require.LessOrEqual(t, 79*utf8.RuneCountInString(line)/10+2*(padding+2), width, line)
			}
		}
	}
	for _, l := range lanes {
		for _, r := range l.rows {
			check(r.left, leftWidth)
			check(r.right, rightWidth)
			check([]string{"`" + r.what + "`"}, rightX-leftX-leftWidth-around)
		}
	}
}

// The frames are those of package reexec, but for the items, which only streams have.
func TestFrames(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../reexec/frame.go", nil, 0)
	require.NoError(t, err)
	var kinds []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for _, name := range spec.Names {
				if kind, ok := strings.CutPrefix(name.Name, "kind"); ok {
					kinds = append(kinds, strings.ToLower(kind))
				}
			}
		}
		return true
	})
	drawn := slices.Concat(request, answer, []string{"items"})
	slices.Sort(kinds)
	slices.Sort(drawn)
	require.Equal(t, kinds, slices.Compact(drawn))
}

// The steps are those that package launcher takes into the namespaces of a container.
func TestSteps(t *testing.T) {
	fixture.Need(t, fixture.UserNS)
	container, err := fixture.Start(fixture.Spec{User: true, Mount: true, PID: true})
	require.NoError(t, err)
	defer container.Close()
	target, err := launcher.PID(container.PID, ns.All)
	require.NoError(t, err)
	defer target.Close()
	plan, err := target.Plan()
	require.NoError(t, err)
	var ops []cnsenter.Op
	for _, step := range plan {
		ops = append(ops, step.Op())
	}
	require.Equal(t, entry, ops)
}
