// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"errors"
	"os"

	"github.com/airlock-ns/airlock/cnsenter"
	"github.com/airlock-ns/airlock/ns"
)

// Plan returns the steps that lead from the calling thread's namespaces into the Target's. It is valid until Close.
func (t *Target) Plan() (cnsenter.Plan, error) {
	foreign, err := t.foreign()
	if err != nil {
		return nil, err
	}
	return t.plan(foreign, ns.All)
}

// plan returns the steps into those namespaces that are among the types only. Those of the process are foreign.
func (t *Target) plan(foreign, only ns.Type) (cnsenter.Plan, error) {
	var plan cnsenter.Plan
	types := foreign & only
	if types != 0 {
		plan = append(plan, cnsenter.Join(t.pidfd, types))
	}
	var last []cnsenter.Step // user: most is entered before it, if anything can be
	for _, h := range t.handles {
		typ := h.Type()
		if typ == 0 {
			return nil, &Error{Op: "plan", Ref: h.String(), Err: os.ErrClosed}
		}
		if types&typ != 0 {
			return nil, &Error{Op: "plan", Ref: h.String(), Err: errors.New("a second namespace of type " + typ.String())}
		}
		same, err := isOurs(h)
		if err != nil {
			return nil, &Error{Op: "plan", Ref: h.String(), Err: err}
		}
		if same || !only.Has(typ) {
			continue
		}
		types |= typ
		if typ == ns.User {
			last = append(last, cnsenter.Join(h.File(), typ))
		} else {
			plan = append(plan, cnsenter.Join(h.File(), typ))
		}
	}
	plan = append(plan, last...)
	if types.Has(ns.PID) {
		plan = append(plan, cnsenter.Fork())
	}
	if types.Has(ns.User) && !t.PreserveCredentials {
		plan = append(plan, cnsenter.DropGroups(), cnsenter.SetGID(0), cnsenter.SetUID(0))
	}
	return plan, nil
}

// isOurs reports whether the calling thread is in the namespace.
func isOurs(h *ns.Handle) (bool, error) {
	ours, err := ns.Current(h.Type())
	if err != nil {
		return false, err
	}
	defer ours.Close()
	return ours.ID() == h.ID(), nil
}
