// SPDX-License-Identifier: Apache-2.0

//go:build linux

package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bans, with what came of doing it elsewhere.
const (
	inherits = "without its close-on-exec flag a descriptor of the host reaches the target: CVE-2016-8649, CVE-2024-21626"
	loads    = "it loads libraries, which are the target's after a mount namespace was joined: CVE-2019-14271"
	writes   = "a path that is written to may lead elsewhere in a target: CVE-2025-31133, CVE-2025-52565, CVE-2025-52881"
)

// closes are the functions of package unix that make descriptors, each with the flag that has execve close them.
var closes = map[string]string{
	"Open": "O_CLOEXEC", "Openat": "O_CLOEXEC", "Openat2": "O_CLOEXEC", "Pipe2": "O_CLOEXEC", "MemfdCreate": "MFD_CLOEXEC",
	"Socket": "SOCK_CLOEXEC", "Socketpair": "SOCK_CLOEXEC", "Accept4": "SOCK_CLOEXEC", "InotifyInit1": "IN_CLOEXEC",
	"EpollCreate1": "EPOLL_CLOEXEC", "Dup3": "O_CLOEXEC",
	"Creat": "", "Dup": "", "Dup2": "", "Pipe": "", "Accept": "", "InotifyInit": "", "EpollCreate": "", // no flag
}

// mayWrite are the files that may write to paths, each with its reason.
var mayWrite = map[string]string{
	"cnsenter/idmap.go": "the id maps of a child, in the caller's /proc, before the child has joined anything",
	"ns/new_linux.go":   "the clocks of a child, likewise",
	"ns/pin_linux.go":   "the file to mount a namespace on, which is made with O_EXCL in the caller's own tree",
}

// banned returns what a Go file does that it must not, a line each.
func banned(name, text string) (found []string) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, 0)
	if err != nil {
		return []string{err.Error()}
	}
	report := func(n ast.Node, what, why string) {
		found = append(found, fmt.Sprintf("%s: %s: %s", set.Position(n.Pos()), what, why))
	}
	for _, i := range file.Imports {
		if path, _ := strconv.Unquote(i.Path.Value); path == "os/user" || path == "plugin" {
			report(i, "import "+path, loads)
		}
	}
	_, writer := mayWrite[name]
	flagged := flagged(file)
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, _ := f.X.(*ast.Ident)
		if of == nil {
			return true
		}
		what := of.Name + "." + f.Sel.Name
		names := names(call)
		creates := names["O_CREATE"] || names["O_CREAT"]
		switch {
		case of.Name == "unix" || of.Name == "syscall":
			flag, opens := closes[f.Sel.Name]
			if opens && !names[flag] && !flagged(names, flag) {
				report(call, what, inherits)
			}
			if creates && !writer {
				report(call, what, writes)
			}
		case what == "os.Create", what == "os.WriteFile", what == "os.CreateTemp", what == "os.OpenFile" && creates:
			if !writer {
				report(call, what, writes)
			}
		}
		return true
	})
	return found
}

// names is the set of identifiers in n.
func names(n ast.Node) map[string]bool {
	set := map[string]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			set[id.Name] = true
		}
		return true
	})
	return set
}

// flagged returns a function that tells whether one of the names has a value in the file that holds the flag.
func flagged(file *ast.File) func(names map[string]bool, flag string) bool {
	holds := map[string]map[string]bool{}
	add := func(left, right ast.Expr) {
		if id, ok := left.(*ast.Ident); ok {
			holds[id.Name] = names(right)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i := range min(len(n.Lhs), len(n.Rhs)) {
				add(n.Lhs[i], n.Rhs[i])
			}
		case *ast.ValueSpec:
			for i := range n.Values {
				add(n.Names[i], n.Values[i])
			}
		}
		return true
	})
	return func(names map[string]bool, flag string) bool {
		for name := range names {
			if flag != "" && holds[name][flag] {
				return true
			}
		}
		return false
	}
}

var (
	opensInC = regexp.MustCompile(`\b(open|openat|socketpair|socket|signalfd|pipe2|memfd_create|dup3)\(([^;]*)`)
	bansInC  = regexp.MustCompile(`\b(getpw\w*|getgr[a-z]\w*|getaddrinfo|gethostby\w+|dlopen|initgroups|creat|dup|dup2|pipe|O_CREAT)\b[ (]`)
)

// bannedInC is the same for C: a call with flags has them in it, or in a variable of that name.
func bannedInC(name, text string) (found []string) {
	for i, line := range strings.Split(text, "\n") {
		code, _, _ := strings.Cut(line, "//")
		if m := opensInC.FindStringSubmatch(code); m != nil && !strings.Contains(m[2], "_CLOEXEC") && !strings.Contains(m[2], "flags") {
			found = append(found, fmt.Sprintf("%s:%d: %s: %s", name, i+1, m[1], inherits))
		}
		if m := bansInC.FindString(code); m != "" {
			found = append(found, fmt.Sprintf("%s:%d: %s: %s, or %s", name, i+1, m, loads, writes))
		}
	}
	return found
}

func TestBans(t *testing.T) {
	product := []string{"ns", "cnsenter", "reexec", "launcher"}
	eachFile(t, func(name string, text []byte) {
		if in(name, product...) && !strings.HasSuffix(name, "_test.go") {
			require.Empty(t, banned(name, string(text)))
		}
	}, ".go")
	eachFile(t, func(name string, text []byte) {
		if in(name, "cnsenter/internal/constructor", "cnsenter/atstart") {
			require.Empty(t, bannedInC(name, string(text)))
		}
	}, ".c", ".h")
}

// TestBansFind holds the bans against what they are to find.
func TestBansFind(t *testing.T) {
	for code, why := range map[string]string{
		`import _ "os/user"`:        loads,
		`import _ "plugin"`:         loads,
		`var _, _ = os.Create("x")`: writes,
		`var _, _ = os.OpenFile("x", os.O_RDWR|os.O_CREATE, 0)`:     writes,
		`var _ = os.WriteFile("x", nil, 0)`:                         writes,
		`var _, _ = unix.Open("x", unix.O_RDONLY, 0)`:               inherits,
		`var _, _ = unix.Openat(3, "x", flags|unix.O_PATH, 0)`:      inherits,
		`var _, _ = unix.Socket(1, unix.SOCK_DGRAM, 0)`:             inherits,
		`var _, _ = unix.Dup(1)`:                                    inherits,
		`var _, _ = unix.Open("x", unix.O_CLOEXEC|unix.O_CREAT, 0)`: writes,
	} {
		found := banned("reexec/x.go", "package p\n"+code)
		require.Len(t, found, 1, code)
		require.Contains(t, found[0], why, code)
	}
	for _, code := range []string{
		`var _, _ = unix.Open("x", unix.O_RDONLY|unix.O_CLOEXEC, 0)`,
		"const flags = unix.O_CLOEXEC\nvar _, _ = unix.Open(\"x\", flags, 0)",
		`var _, _ = os.OpenFile("x", os.O_RDWR, 0)`,
	} {
		require.Empty(t, banned("reexec/x.go", "package p\n"+code), code)
	}
	for code, why := range map[string]string{
		`int f = open("/", O_PATH);`: inherits, `dup(1);`: loads, `getpwnam("x");`: loads, `open("x", O_CREAT | O_CLOEXEC);`: writes,
		`getgrouplist(0);`: loads,
	} {
		found := bannedInC("x.c", code)
		require.Len(t, found, 1, code)
		require.Contains(t, found[0], why, code)
	}
	require.Empty(t, bannedInC("x.c", "int f = open(\"/\", O_PATH | O_CLOEXEC); // dup(1)"))
	for name := range mayWrite {
		require.FileExists(t, filepath.Join(root, name))
	}
}
