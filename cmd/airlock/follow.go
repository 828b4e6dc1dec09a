// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
)

// parts is a set of what --follow takes of the target.
type parts uint

const (
	followNamespaces parts = 1 << iota
	followCgroup
	followRoot
	followWD
	followEnv
	followIDs
	followCapabilities
	followNoNewPrivs
	followLabel
	followRlimits
	followOOM
	followEnd
	followAll = followEnd - 1
)

// partNames are the words for the parts, by the number of their bit.
var partNames = [...]string{
	"namespaces", "cgroup", "root", "wd", "env", "ids", "capabilities", "no-new-privs", "label", "rlimits", "oom",
}

// set adds the parts of a list. Without one, or where it begins with a part to leave out, they are all.
func (p *parts) set(v string, given bool) error {
	if !given || strings.HasPrefix(v, "-") {
		*p = followAll
	}
	if !given {
		return nil
	}
	for word := range strings.SplitSeq(v, ",") {
		name, without := strings.CutPrefix(word, "-")
		bits := followAll
		if name != "all" {
			i := slices.Index(partNames[:], name)
			if i < 0 {
				return fmt.Errorf("no such part: %q; there are all, %s", name, strings.Join(partNames[:], ", "))
			}
			bits = 1 << i
		}
		if without {
			*p &^= bits
		} else {
			*p |= bits
		}
	}
	return nil
}

func (p parts) has(part parts) bool { return p&part != 0 }

// followParts asks for the parts that have options of their own. What those options say otherwise goes first.
func (r *request) followParts() {
	f := r.follow
	r.all = r.all || f.has(followNamespaces)
	r.cgroup = r.cgroup || f.has(followCgroup)
	r.environment = !r.clear && (r.environment || f.has(followEnv))
	if f.has(followRoot) && !r.root.given && !r.hostTools.given {
		r.root.given = true
	}
	if f.has(followWD) && !r.wd.given && r.wdns == "" && !r.hostTools.given {
		r.wd.given = true
	}
	if f.has(followIDs) && r.account == "" && !r.preserve {
		r.uid.follow = r.uid.follow || !r.uid.given
		r.gid.follow = r.gid.follow || !r.gid.given
		r.uid.given, r.gid.given = true, true
	}
}
