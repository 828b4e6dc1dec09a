// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
)

// setenv notes a variable, name=value.
func (r *request) setenv(v string, _ bool) error {
	if i := strings.IndexByte(v, '='); i <= 0 {
		return fmt.Errorf("%q is not name=value", v)
	}
	r.variables = append(r.variables, v)
	return nil
}

// environ returns the program's environment: ours or the target's or none, what an account is known by, and then what is set by name.
func (r *request) environ(target *process, who *account) (env []string, err error) {
	switch {
	case r.clear:
		env = []string{} // nil would be ours
	case r.environment:
		if env, err = target.environ(); err != nil {
			return nil, err
		}
	default:
		env = os.Environ()
	}
	if who != nil {
		for _, v := range who.variables() {
			env = setVariable(env, v)
		}
	}
	for _, v := range r.variables {
		env = setVariable(env, v)
	}
	return env, nil
}

// setVariable puts name=value in the place of the variables of that name, or at the end.
func setVariable(env []string, v string) []string {
	name := v[:strings.IndexByte(v, '=')+1]
	kept := env[:0]
	for _, old := range env {
		if !strings.HasPrefix(old, name) {
			kept = append(kept, old)
		}
	}
	return append(kept, v)
}

// variable returns the value of a variable, or "".
func variable(env []string, name string) string {
	for i := len(env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(env[i], name+"="); ok {
			return v
		}
	}
	return ""
}
