// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/airlock-ns/airlock/ns"
	"github.com/moby/sys/user"
)

// idMaps are the maps of uids or gids that are asked for, user_namespaces(7).
type idMaps struct {
	single *int // what the caller's own id becomes; nil: 0, if there are no ranges
	ranges []ns.IDMap
}

// maps returns what the kernel is to be told. In the ranges is a hole for the caller's own id: what would be there comes next.
func (m idMaps) maps(own int) []ns.IDMap {
	if m.single == nil && len(m.ranges) == 0 {
		return []ns.IDMap{{Inside: 0, Outside: own, Size: 1}}
	}
	if m.single == nil {
		return m.ranges
	}
	hole := *m.single
	maps := []ns.IDMap{{Inside: hole, Outside: own, Size: 1}}
	for _, r := range m.ranges {
		before := hole - r.Inside
		if before < 0 || before >= r.Size {
			maps = append(maps, r)
			continue
		}
		if before > 0 {
			maps = append(maps, ns.IDMap{Inside: r.Inside, Outside: r.Outside, Size: before})
		}
		if rest := r.Size - before - 1; rest > 0 {
			maps = append(maps, ns.IDMap{Inside: hole + 1, Outside: r.Outside + before, Size: rest})
		}
	}
	return maps
}

func (c *creation) mapUser(v string, _ bool) error {
	c.types |= ns.User
	number, err := idOf(v, func() (int, error) {
		u, err := user.LookupUser(v)
		return u.Uid, err
	})
	c.users.single = &number
	return err
}

func (c *creation) mapGroup(v string, _ bool) error {
	c.types |= ns.User
	number, err := idOf(v, func() (int, error) {
		g, err := user.LookupGroup(v)
		return g.Gid, err
	})
	c.groups.single = &number
	return err
}

func idOf(v string, lookUp func() (int, error)) (int, error) {
	if number, err := strconv.ParseUint(v, 10, 31); err == nil {
		return int(number), nil
	}
	number, err := lookUp()
	if err != nil {
		return 0, fmt.Errorf("%q is neither an id nor a name: %w", v, err)
	}
	return number, nil
}

func (c *creation) mapRoot(string, bool) error {
	return c.mapTo(0, 0)
}

func (c *creation) mapCurrent(string, bool) error {
	return c.mapTo(os.Geteuid(), os.Getegid())
}

func (c *creation) mapTo(uid, gid int) error {
	c.types |= ns.User
	c.users.single, c.groups.single = &uid, &gid
	return nil
}

func (c *creation) mapAuto(string, bool) error {
	if err := c.mapping(&c.users)("auto", true); err != nil {
		return err
	}
	return c.mapping(&c.groups)("auto", true)
}

// mapping is the option that adds a range. Like unshare(1) it takes "outer,inner,count" as well.
func (c *creation) mapping(m *idMaps) func(string, bool) error {
	return func(v string, _ bool) (err error) {
		c.types |= ns.User
		kind := "uid"
		if m == &c.groups {
			kind = "gid"
		}
		switch v {
		case "auto":
			m.ranges, err = subordinate(kind)
			if err == nil && m.single == nil {
				root := 0
				m.single = &root
			}
			return err
		case "all":
			m.ranges, err = all(kind)
			return err
		}
		var r ns.IDMap
		if n, err := fmt.Sscanf(v, "%d:%d:%d", &r.Inside, &r.Outside, &r.Size); err != nil || n != 3 {
			if n, err := fmt.Sscanf(v, "%d,%d,%d", &r.Outside, &r.Inside, &r.Size); err != nil || n != 3 {
				return fmt.Errorf("%q is neither inner:outer:count nor auto nor all", v)
			}
		}
		if r.Inside < 0 || r.Outside < 0 || r.Size <= 0 {
			return fmt.Errorf("%q is no range", v)
		}
		m.ranges = append(m.ranges, r)
		return nil
	}
}

// subordinate returns the first block of ids that the caller has in /etc/subuid or /etc/subgid, as the ids from 0 on.
func subordinate(kind string) ([]ns.IDMap, error) {
	own := os.Geteuid()
	name := strconv.Itoa(own)
	if u, err := user.LookupUid(own); err == nil {
		name = u.Name
	}
	path := "/etc/sub" + kind
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) != 3 || fields[0] != name && fields[0] != strconv.Itoa(own) {
			continue
		}
		first, err1 := strconv.Atoi(fields[1])
		count, err2 := strconv.Atoi(fields[2])
		if err1 == nil && err2 == nil && count > 0 {
			return []ns.IDMap{{Inside: 0, Outside: first, Size: count}}, nil
		}
	}
	return nil, fmt.Errorf("%s has no ids of %s", path, name)
}

// all returns a map of every id of our user namespace to itself.
func all(kind string) (maps []ns.IDMap, err error) {
	text, err := os.ReadFile("/proc/self/" + kind + "_map")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var inside, outside, size int
		if n, _ := fmt.Sscan(line, &inside, &outside, &size); n == 3 {
			maps = append(maps, ns.IDMap{Inside: inside, Outside: inside, Size: size})
		}
	}
	return maps, nil
}
