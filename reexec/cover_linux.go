// SPDX-License-Identifier: Apache-2.0

package reexec

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// passCoverDir lets the counters of a worker that was built with -cover reach the directory of GOCOVERDIR from wherever a
// Starter takes it: as a descriptor. It returns what is to be closed after the start. Without the variable it does nothing,
// so that no directory of the host gets into an ordinary worker.
func passCoverDir(cmd *exec.Cmd) *os.File {
	const variable = "GOCOVERDIR="
	for i := len(cmd.Env) - 1; i >= 0; i-- {
		name, set := strings.CutPrefix(cmd.Env[i], variable)
		if !set {
			continue
		}
		dir, err := os.Open(name)
		if err != nil {
			return nil // the worker says so itself
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, dir)
		cmd.Env = append(cmd.Env, variable+"/proc/self/fd/"+strconv.Itoa(2+len(cmd.ExtraFiles)))
		return dir
	}
	return nil
}
