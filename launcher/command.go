// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
)

// self is the image that every start begins with; the kernel resolves it, whatever has become of the file.
const self = "/proc/self/exe"

// Cmd is a program to run inside a Target: an [exec.Cmd] with the same fields and methods, for the other side. It is made by
// Command or CommandContext, and used once. Where a field or method has no comment here, it is as in package os/exec.
//
// Unlike that of an exec.Cmd the program dies with the caller, however the caller ends, unless it changes its ids or executes a
// set-user-ID program, PR_SET_PDEATHSIG in prctl(2). For that, where no relay stands before the program, a thread of the caller
// is kept until Wait returns.
type Cmd struct {
	// Path is the program, resolved inside the Target. Without a slash it is looked up in $PATH of Env, on the Target's files.
	Path string

	// Args are the program's arguments, the name it is called by the first of them. Empty: Path alone.
	Args []string

	// Env is the program's environment. Nil: the caller's, whose $PATH may not suit the Target.
	Env []string

	// Dir is the program's working directory, resolved inside the Target. Empty: the root directory, if the Target has a mount
	// namespace to enter, and otherwise the caller's working directory.
	Dir string

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// ExtraFiles are open in the program from descriptor 3 on. No other descriptors of the caller are.
	ExtraFiles []*os.File

	// SysProcAttr applies before the Target is entered. Pdeathsig, Chroot and the fields for namespaces and ids seldom make sense.
	SysProcAttr *syscall.SysProcAttr

	// Process is the program, or the relay before it, [cnsenter.Fork], which passes signals on and ends as the program does.
	Process      *os.Process
	ProcessState *os.ProcessState

	// Err is an error that Start returns.
	Err error

	// Cancel is called when the context ends. Nil, of a Cmd made by CommandContext: Process.Kill.
	Cancel    func() error
	WaitDelay time.Duration

	target *Target
	ctx    context.Context
	cmd    *exec.Cmd
	ended  chan struct{} // closed by Wait
}

// Command returns a Cmd to run a program inside the Target, which must stay open until Start returns.
func Command(t *Target, name string, arg ...string) *Cmd {
	return &Cmd{Path: name, Args: append([]string{name}, arg...), target: t}
}

// CommandContext is Command with a context whose end kills the program.
func CommandContext(ctx context.Context, t *Target, name string, arg ...string) *Cmd {
	if ctx == nil {
		panic("launcher: nil Context")
	}
	c := Command(t, name, arg...)
	c.ctx = ctx
	return c
}

// inner is the command that is really started: a copy of this program, which executes the other.
func (c *Cmd) inner() *exec.Cmd {
	switch {
	case c.cmd != nil:
	case c.ctx != nil:
		c.cmd = exec.CommandContext(c.ctx, self)
	default:
		c.cmd = exec.Command(self)
	}
	return c.cmd
}

// Start starts the program and returns when it is running. If the Target cannot be entered, or the program not be executed, the
// error is a *[cnsenter.Error] and nothing is left to wait for; errors.Is(err, exec.ErrNotFound) tells of a name that is not in $PATH.
func (c *Cmd) Start() error {
	if c.Err != nil {
		return c.Err
	}
	if c.target == nil {
		return &Error{Op: "start", Ref: c.Path, Err: errors.New("a Cmd is made by Command")}
	}
	plan, err := c.target.Plan()
	if err != nil {
		return err
	}
	if c.Dir != "" {
		plan = slices.Insert(plan, beforeIDs(plan), cnsenter.Chdir(c.Dir))
	}
	relayed := slices.ContainsFunc(plan, func(s cnsenter.Step) bool { return s.Op() == cnsenter.OpFork })
	if !relayed {
		plan = append(plan, cnsenter.DieWithCaller())
	}
	plan = append(plan, cnsenter.Exec(c.Path))

	cmd := c.inner()
	cmd.Args = c.Args
	if len(cmd.Args) == 0 {
		cmd.Args = []string{c.Path}
	}
	cmd.Env, cmd.ExtraFiles, cmd.SysProcAttr = c.Env, c.ExtraFiles, c.SysProcAttr
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.WaitDelay = c.WaitDelay
	if c.Cancel != nil {
		cmd.Cancel = c.Cancel
	}
	if relayed {
		err = plan.Start(cmd)
	} else {
		err = c.startOnOwnThread(plan, cmd)
	}
	c.Process, c.ProcessState = cmd.Process, cmd.ProcessState
	return err
}

// startOnOwnThread starts cmd on a thread that lives until Wait: when it ends the kernel kills the program, cnsenter.DieWithCaller. The
// thread is in the namespaces that the caller visits, ns.Do, from which the plan leads on.
func (c *Cmd) startOnOwnThread(plan cnsenter.Plan, cmd *exec.Cmd) error {
	ended, started := make(chan struct{}), make(chan error)
	err := ns.Go(func() {
		err := plan.Start(cmd)
		started <- err
		if err == nil {
			<-ended
		}
	})
	if err != nil {
		return err
	}
	if err := <-started; err != nil {
		return err
	}
	c.ended = ended
	return nil
}

// beforeIDs returns the index of the first step that changes ids: the directory is entered with the rights of before.
func beforeIDs(plan cnsenter.Plan) int {
	for i, s := range plan {
		switch s.Op() {
		case cnsenter.OpDropGroups, cnsenter.OpSetGroups, cnsenter.OpSetGID, cnsenter.OpSetUID, cnsenter.OpFork:
			return i
		}
	}
	return len(plan)
}

// Wait waits for the program to end, and for its output to be copied.
func (c *Cmd) Wait() error {
	err := c.inner().Wait()
	c.ProcessState = c.inner().ProcessState
	if c.ended != nil {
		close(c.ended)
		c.ended = nil
	}
	return err
}

// Run starts the program and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the program and returns what it writes to standard output. Of standard error, if Stderr is nil, the last 32 KiB are in
// the Stderr of an *exec.ExitError.
func (c *Cmd) Output() ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("launcher: Stdout already set")
	}
	var out bytes.Buffer
	c.Stdout = &out
	var last *tail
	if c.Stderr == nil {
		last = &tail{}
		c.Stderr = last
	}
	err := c.Run()
	var exit *exec.ExitError
	if last != nil && errors.As(err, &exit) {
		exit.Stderr = last.kept
	}
	return out.Bytes(), err
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 32 << 10
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - most; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// CombinedOutput runs the program and returns what it writes to standard output and standard error.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	if c.Stdout != nil || c.Stderr != nil {
		return nil, errors.New("launcher: Stdout or Stderr already set")
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// StdinPipe returns a pipe to the program's standard input.
func (c *Cmd) StdinPipe() (io.WriteCloser, error) {
	if c.Stdin != nil {
		return nil, errors.New("launcher: Stdin already set")
	}
	w, err := c.inner().StdinPipe()
	c.Stdin = c.inner().Stdin
	return w, err
}

// StdoutPipe returns a pipe from the program's standard output, which Wait closes.
func (c *Cmd) StdoutPipe() (io.ReadCloser, error) {
	if c.Stdout != nil {
		return nil, errors.New("launcher: Stdout already set")
	}
	r, err := c.inner().StdoutPipe()
	c.Stdout = c.inner().Stdout
	return r, err
}

// StderrPipe returns a pipe from the program's standard error, which Wait closes.
func (c *Cmd) StderrPipe() (io.ReadCloser, error) {
	if c.Stderr != nil {
		return nil, errors.New("launcher: Stderr already set")
	}
	r, err := c.inner().StderrPipe()
	c.Stderr = c.inner().Stderr
	return r, err
}

// Environ returns the environment that the program will have.
func (c *Cmd) Environ() []string {
	return (&exec.Cmd{Env: c.Env, Dir: c.Dir}).Environ()
}

// String describes the Cmd for people.
func (c *Cmd) String() string {
	return strings.Join(append([]string{c.Path}, c.Args[min(1, len(c.Args)):]...), " ")
}
