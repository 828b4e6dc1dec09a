// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/internal/promises/noisy"
	"github.com/airlock-ns/airlock/reexec"
)

// rubbish is 10 MiB of what is no UTF-8, and has the beginnings of frames in it.
func rubbish() []byte {
	const piece = "alk1\x06\x00\xff\xfe{}\n\x00\xc3\x28 %s\r"
	return bytes.Repeat([]byte(piece), 10<<20/len(piece)+1)[:10<<20]
}

var makeNoise = reexec.Register("make noise", func(_ context.Context, say string) (string, error) {
	junk := rubbish()
	done := make(chan error, 2)
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		go func() {
			_, err := f.Write(junk)
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			return "", err
		}
	}
	for fd := 1; fd <= 2; fd++ { // as C code does, behind Go's back
		if _, err := unix.Write(fd, []byte("raw\x80")); err != nil {
			return "", err
		}
	}
	child := exec.Command("sh", "-c", `printf 'child\200'; printf 'child\200' >&2`)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	return say, child.Run()
})

// detector is what the race detector prints, where it is linked, in a worker that starts without the files of /proc.
var detector = regexp.MustCompile(`==\d+==WARNING: reading executable name failed .*\n`)

func TestPromise08NoiseIsHarmless(t *testing.T) {
	const said = "the result, \u2028 and no other"
	end := "raw\x80child\x80"
	everywhere(t, func(t *testing.T, at place) {
		for name, streams := range map[string]func(t *testing.T) (process reexec.Process, read func() (stdout, stderr []byte)){
			"writers": func(*testing.T) (reexec.Process, func() (_, _ []byte)) {
				var stdout, stderr bytes.Buffer
				return reexec.Process{Stdout: &stdout, Stderr: &stderr}, func() (_, _ []byte) { return stdout.Bytes(), stderr.Bytes() }
			},
			"files": func(t *testing.T) (reexec.Process, func() (_, _ []byte)) {
				var files [2]*os.File
				for i := range files {
					f, err := os.CreateTemp(t.TempDir(), "")
					require.NoError(t, err)
					t.Cleanup(func() { f.Close() })
					files[i] = f
				}
				read := func(f *os.File) []byte {
					b, err := os.ReadFile(f.Name())
					require.NoError(t, err)
					return b
				}
				return reexec.Process{Stdout: files[0], Stderr: files[1]}, func() (_, _ []byte) { return read(files[0]), read(files[1]) }
			},
		} {
			t.Run(name, func(t *testing.T) {
				process, read := streams(t)
				process.Env = append(os.Environ(), noisy.Variable+"=1")
				process.Grace = patience // the machine may be busy, and what has not been copied in time is lost
				on, endAll, err := at.on(process)
				defer endAll()
				require.NoError(t, err)
				out, err := makeNoise.Call(t.Context(), on, said)
				require.NoError(t, err)
				require.Equal(t, said, out)
				endAll() // a pool's worker is still there, and its output may be on its way
				stdout, stderr := read()
				require.True(t, bytes.Equal(append(append([]byte(noisy.Stdout), rubbish()...), end...), stdout))
				require.True(t, bytes.Equal(append(append([]byte(noisy.Stderr), rubbish()...), end...), detector.ReplaceAll(stderr, nil)))
			})
		}
	})
}
