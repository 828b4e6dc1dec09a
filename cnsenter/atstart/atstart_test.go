// SPDX-License-Identifier: Apache-2.0

//go:build linux && cgo

package atstart_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/airlock-ns/airlock/cnsenter/atstart"
	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/ns"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const probeVariable = "ATSTART_TEST_PROBE"

func TestMain(m *testing.M) {
	if os.Getenv(probeVariable) != "" {
		s := sight{PID: os.Getpid(), UID: os.Getuid(), EUID: os.Geteuid(), Namespaces: map[string]string{}}
		for t := range ns.All.Each() {
			if h, err := ns.Current(t); err == nil {
				s.Namespaces[t.String()] = h.String()
				h.Close()
			}
		}
		s.Hostname, _ = os.Hostname()
		file, _ := os.ReadFile("/mnt/planted")
		s.File = string(file)
		_, s.Join = os.LookupEnv("AIRLOCK_JOIN")
		_, s.Plan = os.LookupEnv("AIRLOCK_PLAN")
		json.NewEncoder(os.Stdout).Encode(s)
		os.Exit(0)
	}
	fixture.Main(m)
}

type sight struct {
	PID, UID, EUID int
	Namespaces     map[string]string
	Hostname, File string
	Join, Plan     bool // the variables are there
}

func start(t *testing.T, value string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeVariable+"=1", "AIRLOCK_JOIN="+value, "GORACE=atexit_sleep_ms=0")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func list(target *fixture.Target, types ...string) string {
	var items []string
	for _, typ := range types {
		items = append(items, typ+"="+target.NS(typ))
	}
	return strings.Join(items, ",")
}

func TestJoin(t *testing.T) {
	hasTime := fixture.Kernel(6, 2).Unmet() == nil
	target := fixture.New(t, fixture.Spec{
		User: true, Mount: true, PID: true, Net: true, UTS: true, IPC: true, Cgroup: true, Time: hasTime,
		Hostname: "inside", Files: map[string]string{"/mnt/planted": "seed"},
	})
	for name, types := range map[string][]string{
		"all":             {"user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"},
		"without pid":     {"uts", "mnt", "user"},
		"user comes last": {"net", "uts", "mnt", "user"},
	} {
		t.Run(name, func(t *testing.T) {
			if !hasTime {
				types = slices.DeleteFunc(slices.Clone(types), func(typ string) bool { return typ == "time" })
			}
			out, errs, err := start(t, list(target, types...))
			require.NoError(t, err, errs)
			var s sight
			require.NoError(t, json.Unmarshal([]byte(out), &s))
			require.Equal(t, "inside", s.Hostname)
			require.Equal(t, "seed", s.File)
			require.Zero(t, s.UID)
			require.False(t, s.Join)
			for _, typ := range types {
				if s.Namespaces[typ] == "" && fixture.Kernel(6, 11).Unmet() != nil {
					continue // only /proc tells, which is the target's
				}
				link, err := os.Readlink(target.NS(typ))
				require.NoError(t, err)
				require.Equal(t, link, s.Namespaces[typ])
			}
		})
	}
}

func TestRefused(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, unix.Mkfifo(fifo, 0o600))
	for value, says := range map[string]string{
		"":                                 "airlock: AIRLOCK_JOIN: not a list of type=path\n",
		"net":                              "not a list",
		"nets=/proc/self/ns/net":           "not a list",
		"net=/a,":                          "AIRLOCK_JOIN: join net of /a: No such file or directory\n",
		"uts=/proc/self/ns/uts,":           "not a list",
		"net=":                             "join net of : No such file",
		"net=/no/such":                     "AIRLOCK_JOIN: join net of /no/such: No such file or directory\n",
		"net=/proc/self/ns/uts":            "join net of /proc/self/ns/uts: Invalid argument",
		"net=" + fifo:                      "join net of " + fifo + ": Invalid argument",
		"user=/proc/self/ns/user":          "join user of /proc/self/ns/user: Invalid argument",
		strings.Repeat("x", 10_000):        "too long",
		"net=" + strings.Repeat("/", 8000): "join net of //",
		"uts=/proc/self/ns/uts,uts=/proc/self/ns/uts": "not a list",
	} {
		t.Run(value[:min(len(value), 40)], func(t *testing.T) {
			out, errs, err := start(t, value)
			require.Error(t, err)
			require.Empty(t, out, "main ran")
			require.Contains(t, errs, says)
		})
	}
}

// Who starts the program may have closed what every program has open.
func TestClosedDescriptors(t *testing.T) {
	target := fixture.New(t, fixture.Spec{User: true, Mount: true})
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command("sh", "-c", `exec "$0" 0<&- 1<&- 2<&-`, program)
	cmd.Env = append(os.Environ(), probeVariable+"=1", "AIRLOCK_JOIN="+list(target, "user", "mnt"), "GORACE=atexit_sleep_ms=0")
	require.NoError(t, cmd.Run())
}

// A set-user-ID program does not let its caller choose.
func TestSetUserID(t *testing.T) {
	fixture.Need(t, fixture.Root, fixture.Program("setpriv"))
	target := fixture.New(t, fixture.Spec{Net: true})
	dir, err := os.MkdirTemp("/var/tmp", "airlock") // /tmp may be mounted nosuid
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.Chmod(dir, 0o755))
	for name, mode := range map[string]os.FileMode{"set-user-ID": os.ModeSetuid, "set-group-ID": os.ModeSetgid} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(dir, name)
			copyProgram(t, program)
			require.NoError(t, os.Chown(program, 0, 54321))
			require.NoError(t, os.Chmod(program, 0o755|mode))
			cmd := exec.Command("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", program)
			cmd.Env = append(os.Environ(), probeVariable+"=1", "AIRLOCK_JOIN="+list(target, "net"), "AIRLOCK_PLAN=0")
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			require.NoError(t, err)
			var s sight
			require.NoError(t, json.Unmarshal(out, &s))
			require.Equal(t, mode == os.ModeSetuid, s.EUID == 0, "the set-user-ID bit does not work here")
			link, err := os.Readlink("/proc/self/ns/net")
			require.NoError(t, err)
			require.Equal(t, link, s.Namespaces["net"])
			require.False(t, s.Plan, "the variable is left")
		})
	}
}

func copyProgram(t *testing.T, path string) {
	t.Helper()
	from, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
}
