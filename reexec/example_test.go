// SPDX-License-Identifier: Apache-2.0

//go:build linux

package reexec_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/airlock-ns/airlock/reexec"
)

// Functions are registered as package-level variables.
var (
	add = reexec.Register("add", func(_ context.Context, in [2]int) (int, error) { return in[0] + in[1], nil })

	size = reexec.Register("size", func(_ context.Context, path string) (int64, error) {
		st, err := os.Stat(path)
		if err != nil {
			return 0, err
		}
		return st.Size(), nil
	})

	squares = reexec.RegisterStream("squares", func(_ context.Context, n int) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i*i, nil) {
					return
				}
			}
		}
	})

	tempFile = reexec.Register("temp file", func(_ context.Context, text string) (reexec.File, error) {
		fd, err := unix.MemfdCreate("text", unix.MFD_CLOEXEC)
		if err != nil {
			return reexec.File{}, err
		}
		f := os.NewFile(uintptr(fd), "text")
		_, err = f.WriteString(text)
		return reexec.File{File: f}, err
	})

	wait = reexec.Register("wait", func(ctx context.Context, _ struct{}) (bool, error) {
		<-ctx.Done()
		return true, ctx.Err()
	})

	chatty = reexec.Register("chatty", func(context.Context, struct{}) (struct{}, error) {
		slog.Info("inside", "answer", 42)
		return struct{}{}, nil
	})
)

var errSoldOut = errors.New("sold out")

func init() { reexec.RegisterError("shop.ErrSoldOut", errSoldOut) }

var buy = reexec.Register("buy", func(_ context.Context, what string) (struct{}, error) {
	return struct{}{}, fmt.Errorf("buy %s: %w", what, errSoldOut)
})

// main of a program, or TestMain of its tests, begins with Init.
func ExampleInit() {
	main := func() {
		reexec.Init()
		fmt.Println("only the caller gets here")
	}
	main()
	// Output: only the caller gets here
}

func ExampleRegister() {
	sum, err := add.Call(context.Background(), nil, [2]int{40, 2})
	fmt.Println(add.Name(), sum, err)
	// Output: add 42 <nil>
}

func ExampleFunc_Call_error() {
	_, err := size.Call(context.Background(), nil, "/nonexistent")
	fmt.Println(err)
	fmt.Println(errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOENT))
	// Output:
	// reexec: size: run: stat /nonexistent: no such file or directory
	// true true
}

func ExampleFunc_Call_deadline() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := wait.Call(ctx, nil, struct{}{})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// elsewhere is a Starter that starts the worker in another directory; those of launcher and cnsenter start it in other
// namespaces.
type elsewhere string

func (dir elsewhere) Start(cmd *exec.Cmd) error {
	cmd.Dir = string(dir)
	return cmd.Start()
}

func ExampleIn() {
	dir, err := workingDir.Call(context.Background(), reexec.In(elsewhere("/usr")), struct{}{})
	fmt.Println(dir, err)
	// Output: /usr <nil>
}

func ExampleProcess() {
	on := &reexec.Process{Stdout: os.Stdout, Stderr: io.Discard, MaxResult: 1 << 20, Grace: time.Second}
	sum, err := add.Call(context.Background(), on, [2]int{1, 2})
	fmt.Println(sum, err)
	// Output: 3 <nil>
}

func ExampleProcess_log() {
	on := &reexec.Process{Log: slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})}
	_, err := chatty.Call(context.Background(), on, struct{}{})
	fmt.Println(err)
	// Output:
	// level=INFO msg=inside answer=42
	// <nil>
}

func ExampleRegisterStream() {
	for square, err := range squares.Call(context.Background(), nil, 1_000_000) {
		if err != nil {
			fmt.Println(err)
		}
		if square > 20 {
			break // ends the worker
		}
		fmt.Println(square)
	}
	// Output:
	// 0
	// 1
	// 4
	// 9
	// 16
}

func ExampleFile() {
	f, err := tempFile.Call(context.Background(), nil, "written inside, read outside")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<10))
	fmt.Println(string(text), err)
	// Output: written inside, read outside <nil>
}

func ExamplePool() {
	var pool reexec.Pool
	defer pool.Close()
	for i := range 3 {
		sum, err := add.Call(context.Background(), pool.On("the target's identity", nil), [2]int{i, i})
		fmt.Println(sum, err)
	}
	stats := expvar.Func(func() any { return pool.Stats() })
	fmt.Println(stats.String())
	// Output:
	// 0 <nil>
	// 2 <nil>
	// 4 <nil>
	// {"Calls":3,"Cold":1,"Warm":2,"Failures":0,"Started":1,"Idle":1,"Workers":1}
}

func ExampleRegisterError() {
	_, err := buy.Call(context.Background(), nil, "bread")
	fmt.Println(errors.Is(err, errSoldOut), err)
	// Output: true reexec: buy: run: buy bread: sold out
}

func ExampleInProcess() {
	// In a unit test of the function, say: no process is started, and breakpoints and coverage work.
	_, err := size.Call(context.Background(), reexec.InProcess(), "/nonexistent")
	fmt.Println(strings.TrimPrefix(err.Error(), "reexec: "))
	// Output: size: run: stat /nonexistent: no such file or directory
}

func ExampleError() {
	_, err := size.Call(context.Background(), reexec.In(startError{unix.EPERM}), "/")
	var e *reexec.Error
	if errors.As(err, &e) {
		fmt.Println(e.Func, e.Stage, e.Err)
	}
	// Output: size start operation not permitted
}
