// SPDX-License-Identifier: Apache-2.0

//go:build linux

package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/airlock-ns/airlock/internal/fixture"
	"github.com/airlock-ns/airlock/launcher/container"
	"github.com/airlock-ns/airlock/launcher/engine"
	"github.com/airlock-ns/airlock/ns"
)

// fakeID is that of the container "web" that a fake Docker has.
var fakeID = strings.Repeat("0123456789abcdef", 4)

// fakeDocker answers at a socket, whose DOCKER_HOST is returned, that the first process of "web" is pid.
func fakeDocker(t *testing.T, pid int) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.41") })
	mux.HandleFunc("/v1.41/containers/{name}/json", func(w http.ResponseWriter, r *http.Request) {
		if name := r.PathValue("name"); name != "web" && name != fakeID {
			w.WriteHeader(http.StatusNotFound)
			json.NewEncoder(w).Encode(map[string]string{"message": "No such container: " + name})
			return
		}
		json.NewEncoder(w).Encode(map[string]any{
			"Id": fakeID, "Name": "/web", "State": map[string]any{"Status": "running", "Running": true, "Pid": pid},
		})
	})
	mux.HandleFunc("/v1.41/containers/json", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode([]any{map[string]any{"Id": fakeID, "Names": []string{"/web", "/other/link"}, "State": "running"}})
	})
	server := httptest.NewUnstartedServer(mux)
	path := shortDir(t) + "/docker.sock"
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return "unix://" + path
}

// TestPromise17 has an engine name a process that is not the container's, as it would once the number had another owner.
func TestPromise17AnEnginesPidIsNotTrusted(t *testing.T) {
	other := fixture.New(t, fixture.Spec{User: true, UTS: true})
	ended := exec.Command("/bin/true")
	require.NoError(t, ended.Run())
	for name, c := range map[string]struct {
		pid int
		err error
	}{
		"somebody else": {other.PID, container.ErrOtherProcess},
		"ourselves":     {os.Getpid(), container.ErrOtherProcess},
		"init":          {1, container.ErrOtherProcess},
		"nobody":        {ended.Process.Pid, unix.ESRCH},
	} {
		t.Run(name, func(t *testing.T) {
			sockets(t, map[string]string{"DOCKER_HOST": fakeDocker(t, c.pid)})
			for _, ref := range []string{"docker://web", "web"} {
				_, err := engine.Find(t.Context(), ref)
				require.ErrorIs(t, err, c.err)
				target, err := engine.Resolve(t.Context(), ref, ns.All)
				require.Nil(t, target)
				require.ErrorIs(t, err, c.err)
				var e *engine.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, ref, e.Ref)
			}
		})
	}
}

func TestEnginesWithoutAnAnswer(t *testing.T) {
	dir := shortDir(t)
	dead, deaf, file := dir+"/dead.sock", dir+"/deaf.sock", dir+"/file"
	listener, err := net.Listen("unix", dead)
	require.NoError(t, err)
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())
	listener, err = net.Listen("unix", deaf) // the kernel accepts, nobody answers
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, os.WriteFile(file, nil, 0o644))

	variables := map[string]string{
		"docker": "DOCKER_HOST", "podman": "CONTAINER_HOST", "containerd": "CONTAINERD_ADDRESS", "cri": "CONTAINER_RUNTIME_ENDPOINT",
	}
	for path, want := range map[string]error{
		dir + "/none.sock": fs.ErrNotExist, dead: syscall.ECONNREFUSED, file: syscall.ECONNREFUSED, deaf: context.DeadlineExceeded,
	} {
		for name, variable := range variables {
			sockets(t, map[string]string{variable: "unix://" + path})
			refs, limit := []string{name + "://no-such", "no-such"}, patience
			if path == deaf { // of a bare name see TestTheNextEngineIsAsked
				refs, limit = refs[:1], time.Second/5
			}
			for _, ref := range refs {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				_, err := engine.Find(ctx, ref)
				cancel()
				require.ErrorIs(t, err, want, "%s at %s", ref, path)
				var e *engine.Error
				require.ErrorAs(t, err, &e)
				require.ErrorContains(t, err, path)
				if missing := (*engine.NotFoundError)(nil); path != deaf {
					require.ErrorIs(t, err, container.ErrNotFound)
					require.ErrorAs(t, err, &missing)
				}
			}
		}
	}
}

// An engine that does not answer keeps nobody from asking the next one.
func TestTheNextEngineIsAsked(t *testing.T) {
	listener, err := net.Listen("unix", shortDir(t)+"/deaf.sock")
	require.NoError(t, err)
	defer listener.Close()
	for name, docker := range map[string]string{
		"deaf":    "unix://" + listener.Addr().String(),
		"missing": "unix:///no/such.sock",
		"remote":  "tcp://192.0.2.1:2375",
	} {
		t.Run(name, func(t *testing.T) {
			// Podman's interface is Docker's, too. It gives a wrong pid, so that the answer is known to be its.
			podman := fakeDocker(t, os.Getpid())
			sockets(t, map[string]string{"DOCKER_HOST": docker, "CONTAINER_HOST": podman})
			_, err := engine.Find(t.Context(), "web")
			require.ErrorIs(t, err, container.ErrOtherProcess)
		})
	}
}

// A server that knows none of an engine's services says so, and the engine counts as one that cannot be asked.
func TestServiceThatIsOff(t *testing.T) {
	listener, err := net.Listen("unix", shortDir(t)+"/empty.sock")
	require.NoError(t, err)
	server := grpc.NewServer()
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(listener) })
	defer serving.Wait()
	defer server.Stop()
	address := "unix://" + listener.Addr().String()
	sockets(t, map[string]string{"CONTAINER_RUNTIME_ENDPOINT": address})
	_, err = engine.Find(t.Context(), "cri://no-such")
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "its CRI is off")
	list, err := engine.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)

	sockets(t, map[string]string{"CONTAINERD_ADDRESS": address})
	_, err = engine.Find(t.Context(), "containerd://no-such")
	require.ErrorContains(t, err, "containerd at "+listener.Addr().String()+": ")
}

// podman(1) may fail, or take longer than anybody waits.
func TestPodmanProgramFails(t *testing.T) {
	for name, c := range map[string]struct{ script, says string }{
		"hangs":    {"exec sleep 3600", "context deadline exceeded"},
		"fails":    {"echo first >&2; echo last >&2; exit 125", "podman at podman inspect: exit status 125: last"},
		"nonsense": {"echo nonsense", "invalid character"},
		"nothing":  {"case $* in *inspect*) echo []; esac; exit 0", "the answer has 0 containers"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(dir+"/podman", []byte("#!/bin/sh\n"+c.script+"\n"), 0o755))
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			t.Setenv("XDG_RUNTIME_DIR", dir)
			sockets(t, map[string]string{"CONTAINER_HOST": ""})
			limit := patience
			if name == "hangs" {
				limit = time.Second / 10
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			_, err := engine.Find(ctx, "podman://no-such")
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestForbiddenSocket(t *testing.T) {
	dir := shortDir(t)
	require.NoError(t, os.Chmod(dir, 0o755))
	listener, err := net.Listen("unix", dir+"/docker.sock")
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, os.Chmod(dir+"/docker.sock", 0))

	self := exec.Command("/proc/self/exe")
	self.Env = append(os.Environ(), forbiddenVariable+"=1", "DOCKER_HOST=unix://"+dir+"/docker.sock", "GORACE=atexit_sleep_ms=0")
	if os.Geteuid() == 0 { // whom nothing is forbidden
		self.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := self.Output()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, "^true .*docker at "+dir+"/docker.sock: connect: permission denied", string(out))
}

func TestRemoteEngines(t *testing.T) {
	for ref, variable := range map[string]string{
		"docker://web": "DOCKER_HOST", "podman://web": "CONTAINER_HOST", "containerd://web": "CONTAINERD_ADDRESS",
		"cri://web": "CONTAINER_RUNTIME_ENDPOINT",
	} {
		for _, value := range []string{"tcp://192.0.2.1:2375", "ssh://root@192.0.2.1", "https://192.0.2.1", "unix://relative.sock", "unix://@abstract"} {
			sockets(t, map[string]string{variable: value})
			_, err := engine.Resolve(t.Context(), ref, ns.All)
			var remote *engine.RemoteError
			require.ErrorAs(t, err, &remote)
			require.Equal(t, &engine.RemoteError{Variable: variable, Value: value}, remote)
			require.ErrorContains(t, err, "unrelated process")
		}
	}
}

func TestCancelled(t *testing.T) {
	sockets(t, map[string]string{"DOCKER_HOST": fakeDocker(t, os.Getpid())})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ref := range []string{"docker://web", "web", "0123456789ab"} {
		_, err := engine.Find(ctx, ref)
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestList(t *testing.T) {
	web := container.Info{Engine: "docker", ID: fakeID, Name: "web", PID: 4711}
	sockets(t, map[string]string{"DOCKER_HOST": fakeDocker(t, 4711)})
	list, err := engine.List(t.Context())
	require.NoError(t, err, "those that are not there are left out")
	require.Equal(t, []container.Info{web}, list)

	docker := os.Getenv("DOCKER_HOST")
	t.Setenv("CONTAINER_HOST", docker)
	list, err = engine.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []container.Info{web}, list, "each container once")

	listener, err := net.Listen("unix", shortDir(t)+"/deaf.sock")
	require.NoError(t, err)
	defer listener.Close()
	sockets(t, map[string]string{"DOCKER_HOST": docker, "CONTAINERD_ADDRESS": listener.Addr().String()})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	list, err = engine.List(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "containerd at "+listener.Addr().String())
	require.Equal(t, []container.Info{web}, list, "the others have answered")
}

func TestBadReferences(t *testing.T) {
	sockets(t, nil)
	for ref, says := range map[string]string{
		"":                 "without a name",
		"docker://":        "without a name",
		"lxc://web":        `no engine "lxc"`,
		"://web":           `no engine ""`,
		"docker://a/b":     "docker has no namespaces",
		"docker://../info": "is no name",
		"docker://a?b":     "is no name",
		"docker://-x":      "is no name",
		"cri://a//b":       "is no name",
		"cri://a/b/c/d":    "is no name",
		"/run/netns/blue":  "is no name",
		"a b":              "is no name",
		"pid://web":        "is no pid",
		"pid://0":          "is no pid",
		"pid://-1":         "is no name",
	} {
		_, err := engine.Resolve(t.Context(), ref, ns.All)
		var e *engine.Error
		require.ErrorAs(t, err, &e, ref)
		require.ErrorContains(t, err, says, ref)
		_, err = engine.Find(t.Context(), ref)
		require.ErrorContains(t, err, says, ref)
	}
	var missing *engine.NotFoundError
	_, err := engine.Find(t.Context(), "no-such-container")
	require.True(t, errors.As(err, &missing))
	require.ErrorContains(t, err, "no such container; tried\n  docker at ")
	require.Len(t, missing.Tried, 5, "four engines and the cgroups: %v", err)
}
