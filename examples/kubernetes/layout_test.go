// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/airlock-ns/airlock/examples/internal/scan"
	"github.com/airlock-ns/airlock/ns"
)

// patience bounds what always comes, unless something is broken.
const patience = time.Minute

// bundle is a container as a node makes it of a pod with one container, by runc(8): what the manifest says of it, and no image but this
// test binary, which is the program.
type bundle struct {
	dir    string
	config specs.Spec
}

// newBundle makes the bundle of the DaemonSet's pod. The paths of the node that it mounts are others here.
func newBundle(t *testing.T, pod corev1.PodSpec, node map[string]string) *bundle {
	b := &bundle{dir: t.TempDir()}
	run(t, "runc", "spec", "--bundle", b.dir)
	text, err := os.ReadFile(filepath.Join(b.dir, "config.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &b.config))

	c := pod.Containers[0]
	b.config.Hostname = "scanner"
	b.config.Process.Terminal = false
	b.config.Process.Args = append([]string{"/kubernetes"}, c.Args...)
	b.config.Process.Env = []string{"AIRLOCK_TUTORIAL=1"} // the test binary is the tutorial then
	b.config.Process.Rlimits = nil                        // runc cannot raise them without CAP_SYS_RESOURCE
	b.config.Process.User = specs.User{UID: uint32(*c.SecurityContext.RunAsUser), GID: uint32(*c.SecurityContext.RunAsGroup)}
	b.config.Process.NoNewPrivileges = c.SecurityContext.AllowPrivilegeEscalation != nil && !*c.SecurityContext.AllowPrivilegeEscalation
	b.config.Root.Readonly = *c.SecurityContext.ReadOnlyRootFilesystem
	b.config.Linux.Seccomp = seccompProfile(t)
	if pod.HostPID {
		b.config.Linux.Namespaces = slices.DeleteFunc(b.config.Linux.Namespaces, func(n specs.LinuxNamespace) bool {
			return n.Type == specs.PIDNamespace
		})
	}
	require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
	var caps []string
	for _, name := range c.SecurityContext.Capabilities.Add {
		caps = append(caps, "CAP_"+string(name))
	}
	b.config.Process.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
	memory := c.Resources.Limits.Memory().Value()
	b.config.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &memory}
	for _, m := range c.VolumeMounts {
		i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		source := node[pod.Volumes[i].HostPath.Path]
		require.NotEmpty(t, source, pod.Volumes[i].HostPath.Path)
		mode := "rw"
		if m.ReadOnly {
			mode = "ro"
		}
		b.mount(source, m.MountPath, mode)
	}
	b.install(t)
	return b
}

// mount has a directory of the node be in the container.
func (b *bundle) mount(source, target, mode string) {
	b.config.Mounts = append(b.config.Mounts, specs.Mount{
		Destination: target, Type: "bind", Source: source, Options: []string{"rbind", "rprivate", mode},
	})
}

// install puts the program into the container: an image of nothing else. Where it is not static, its libraries are needed.
func (b *bundle) install(t *testing.T) {
	root := filepath.Join(b.dir, "rootfs")
	self, err := os.Executable()
	require.NoError(t, err)
	copyFile(t, self, root+"/kubernetes")
	program, err := elf.Open(self)
	require.NoError(t, err)
	defer program.Close()
	if !slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return
	}
	for _, m := range regexp.MustCompile(`(/\S+) \(0x`).FindAllStringSubmatch(run(t, "ldd", self), -1) {
		copyFile(t, m[1], root+m[1])
	}
}

func copyFile(t *testing.T, from, to string) {
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, data, 0o755))
}

// command is runc's for the container, whose id comes last.
func (b *bundle) command(arg ...string) *exec.Cmd {
	id := "scanner-" + strconv.Itoa(os.Getpid()) + "-" + filepath.Base(filepath.Dir(b.dir))
	return exec.Command("runc", append(append([]string{"--root", filepath.Join(b.dir, "state")}, arg...), id)...)
}

func (b *bundle) write(t *testing.T) {
	text, err := json.Marshal(b.config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o644))
}

// run runs the container until its end, and gives what it prints.
func (b *bundle) run(t *testing.T) (string, error) {
	b.write(t)
	out, err := b.command("run", "--bundle", b.dir).CombinedOutput()
	return string(out), err
}

// start starts the container, which ends with the test, and returns when it is ready.
func (b *bundle) start(t *testing.T) *started {
	b.write(t)
	pidFile := filepath.Join(b.dir, "pid")
	log, err := os.Create(filepath.Join(b.dir, "log")) // no pipe: the container keeps it
	require.NoError(t, err)
	defer log.Close()
	cmd := b.command("run", "--detach", "--bundle", b.dir, "--pid-file", pidFile)
	cmd.Stdout, cmd.Stderr = log, log
	failed := cmd.Run()
	t.Cleanup(func() {
		require.NoError(t, b.command("delete", "--force").Run())
		if said, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("it says: %s", said)
		}
	})
	require.NoError(t, failed)
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	pid, err := strconv.Atoi(string(text))
	require.NoError(t, err)
	network, err := ns.OpenPID(pid, ns.Net)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, network.Close()) })
	container := podSpec(t).Containers[0]
	s := &started{pid, container.Ports[0].ContainerPort, newClient(t, network)}
	require.Eventually(t, func() bool {
		status, _, err := s.get(container.ReadinessProbe.HTTPGet.Path)
		return err == nil && status == http.StatusOK
	}, patience, 10*time.Millisecond)
	return s
}

// started is the container, as the node and the kubelet see it.
type started struct {
	pid    int
	port   int32
	client *http.Client
}

// newClient asks from inside the pod's network namespace, which has no other way in.
func newClient(t *testing.T, network *ns.Handle) *http.Client {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return ns.Call(func() (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp4", address) }, network)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func (s *started) get(path string) (status int, body string, err error) {
	answer, err := s.client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", s.port, path))
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// containers are what it finds, by their names. The query is empty, or says of which.
func (s *started) containers(t *testing.T, query string) map[string]scan.Row {
	status, body, err := s.get("/containers" + query)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, body)
	found := map[string]scan.Row{}
	for decoder := json.NewDecoder(strings.NewReader(body)); decoder.More(); {
		var row scan.Row
		require.NoError(t, decoder.Decode(&row))
		found[row.Name] = row
	}
	return found
}

// status is that of its process, proc_pid_status(5).
func (s *started) status(t *testing.T) map[string]string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	require.NoError(t, err)
	status := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		status[name] = strings.TrimSpace(value)
	}
	return status
}

func run(t *testing.T, name string, arg ...string) string {
	t.Helper()
	out, err := exec.Command(name, arg...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, arg, out)
	return strings.TrimSpace(string(out))
}
