// SPDX-License-Identifier: Apache-2.0

package launcher

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/airlock-ns/airlock/ns"
)

// PrivilegeError says which capability is missing to enter namespaces. errors.Is(err, syscall.EPERM) holds.
type PrivilegeError struct {
	Types      ns.Type // the namespaces that it keeps us from
	Capability string  // "CAP_SYS_ADMIN"
	In         string  // the user namespace in which it is missing, "user:[4026531837]", or that it is out of reach
}

func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("to enter %v takes %s in %s", e.Types, e.Capability, e.In)
}

func (e *PrivilegeError) Unwrap() error { return syscall.EPERM }

// Check finds out which privilege is missing to enter the Target's namespaces, without trying: the *PrivilegeError, in an *Error, names
// the capability and the user namespace. It knows the rules of user_namespaces(7) and setns(2); a security module or a seccomp filter
// may still refuse what they allow.
func (t *Target) Check() error {
	privileges, err := ownPrivileges()
	if err != nil {
		return &Error{Op: "check", Ref: t.name(), Err: err}
	}
	defer privileges.ours.Close()
	handles, err := t.Open()
	if err != nil {
		return &Error{Op: "check", Ref: t.name(), Err: err}
	}
	defer closeAll(handles)

	missing := map[string]*PrivilegeError{}
	var first *PrivilegeError
	for _, h := range handles {
		if h.Type() == ns.User {
			entered, err := privileges.in(h)
			if err != nil {
				return &Error{Op: "check", Ref: t.name(), Err: err}
			}
			if entered {
				privileges.entered = h.ID()
			}
		}
	}
	for _, h := range handles {
		lack, err := privileges.lacks(h)
		if err != nil {
			return &Error{Op: "check", Ref: t.name(), Err: err}
		}
		if lack == nil {
			continue
		}
		key := lack.Capability + lack.In
		if known := missing[key]; known != nil {
			known.Types |= lack.Types
			continue
		}
		missing[key] = lack
		if first == nil {
			first = lack
		}
	}
	if first == nil {
		return nil
	}
	return &Error{Op: "check", Ref: t.name(), Err: first}
}

// privileges are what the caller may do where.
type privileges struct {
	ours          *ns.Handle // user namespace
	admin, chroot bool       // CAP_SYS_ADMIN and CAP_SYS_CHROOT there
	uid           int
	entered       ns.ID // user namespace that is entered on the way, in which all is allowed
}

// in reports whether the caller has all capabilities in a user namespace, or gets them on the way: those of a user namespace reach
// into its descendants, and whoever made one has all of them in it.
func (p *privileges) in(user *ns.Handle) (bool, error) {
	here, err := ns.FromFile(user.File())
	if err != nil {
		return false, err
	}
	for {
		if here.ID() == p.ours.ID() {
			here.Close()
			return p.admin, nil
		}
		if here.ID() == p.entered {
			here.Close()
			return true, nil
		}
		parent, err := here.Parent()
		if err != nil {
			here.Close()
			return false, ignore(err, ns.ErrNoParent)
		}
		owner, err := here.OwnerUID()
		made := err == nil && owner == p.uid && parent.ID() == p.ours.ID()
		here.Close()
		here = parent
		if err != nil || made {
			here.Close()
			return made, err
		}
	}
}

// lacks returns what is missing to enter h, or nil.
func (p *privileges) lacks(h *ns.Handle) (*PrivilegeError, error) {
	owner := h
	if h.Type() != ns.User {
		var err error
		owner, err = h.Owner()
		if errors.Is(err, ns.ErrNoOwner) {
			return &PrivilegeError{h.Type(), "CAP_SYS_ADMIN", "the owning user namespace, which is out of reach"}, nil
		}
		if err != nil {
			return nil, err
		}
		defer owner.Close()
	}
	may, err := p.in(owner)
	if err != nil {
		return nil, err
	}
	if !may {
		return &PrivilegeError{h.Type(), "CAP_SYS_ADMIN", owner.String()}, nil
	}
	// It takes power over both user namespaces: whoever enters one has it there, and is in it from then on.
	if h.Type() != ns.User && !p.admin && p.entered == (ns.ID{}) {
		return &PrivilegeError{h.Type(), "CAP_SYS_ADMIN", p.ours.String()}, nil
	}
	if h.Type() == ns.Mount && !p.chroot && p.entered == (ns.ID{}) {
		return &PrivilegeError{h.Type(), "CAP_SYS_CHROOT", p.ours.String()}, nil
	}
	return nil, nil
}

func ignore(err, sentinel error) error {
	if errors.Is(err, sentinel) {
		return nil
	}
	return err
}

// Open returns a Handle for every namespace that a Start by the calling thread joins. The caller closes them.
func (t *Target) Open() ([]*ns.Handle, error) {
	var handles []*ns.Handle
	add := func(h *ns.Handle, err error) error {
		if err == nil {
			handles = append(handles, h)
		}
		return err
	}
	foreign, err := t.foreign()
	if err != nil {
		return nil, err
	}
	for typ := range foreign.Each() {
		if err := add(ns.FromPIDFD(t.pidfd, typ)); err != nil {
			closeAll(handles)
			return nil, err
		}
	}
	for _, h := range t.handles {
		if same, err := isOurs(h); err == nil && same {
			continue
		}
		if err := add(ns.FromFile(h.File())); err != nil {
			closeAll(handles)
			return nil, err
		}
	}
	return handles, nil
}

func closeAll(handles []*ns.Handle) {
	for _, h := range handles {
		h.Close()
	}
}

// name is how errors call the Target.
func (t *Target) name() string {
	var names []string
	if t.pidfd != nil {
		names = append(names, t.pidfd.Name())
	}
	for _, h := range t.handles {
		names = append(names, h.String())
	}
	return strings.Join(names, ", ")
}
