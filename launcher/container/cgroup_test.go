// SPDX-License-Identifier: Apache-2.0

package container

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	one   = strings.Repeat("0123456789abcdef", 4)
	other = strings.Repeat("fedcba9876543210", 4)
)

func TestPaths(t *testing.T) {
	hybrid := "9:name=systemd:/docker/x\n4:memory:/a:b\n3:cpu,cpuacct:/docker/x\n0::/\n"
	require.Equal(t, []string{"/docker/x", "/a:b", "/"}, paths(hybrid))
	require.Equal(t, []string{"/user.slice"}, paths("0::/user.slice\n"))
	require.Empty(t, paths(""))
	require.Empty(t, paths("nonsense\n"))
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		path, id string
		want     bool
	}{
		{"/docker/" + one, one, true},
		{"/docker/" + one, other, false},
		{"/docker/" + one, one[:12], false},
		{"/docker/" + one, "docker", false}, // the parent of all of Docker's
		{"/system.slice/docker-" + one + ".scope", one, true},
		{"/machine.slice/libpod-" + one + ".scope/container", one, true},
		{"/machine.slice/libpod-conmon-" + one + ".scope", one, false}, // the monitor, which is outside
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + one + ".scope", one, true},
		{"/kubepods/burstable/pod1/" + one, one, true},
		{"/k8s.io/" + one, one, true},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/web.service/libpod-payload-" + one, one, true},
		{"/../" + one, one, true}, // seen from within another cgroup namespace
		{"/docker/" + one + "/kubelet/kubepods/" + other, one, true},
		{"/docker/" + one + "/kubelet/kubepods/" + other, other, true},
		{"/docker/x" + one, one, false},
		{"/docker/" + one + "0", one, false},
		{"/default/web", "web", true},
		{"/default/web/init.scope", "web", true},
		{"/default/webs", "web", false},
		{"/default/my-web", "web", false},
		{"/system.slice/runc-web.scope", "web", true},
		{"/system.slice/my-web.scope", "web", false},
		{"/", "", false},
	} {
		require.Equal(t, c.want, c.id != "" && names(c.path, c.id), "%s in %s", c.id, c.path)
	}
}

func TestMatches(t *testing.T) {
	all := []string{"/docker/" + one, "/docker/" + one + "/" + other, "/default/web"}
	require.Equal(t, []string{one}, matches(all, one))
	require.Equal(t, []string{one}, matches(all, one[:12]))
	require.Equal(t, []string{other}, matches(all, other[:13]))
	require.Equal(t, []string{"web"}, matches(all, "web"))
	for _, id := range []string{one[:11], "", ".", "/", "docker", "default", strings.ToUpper(one[:16]), one + "0", "we"} {
		require.Empty(t, matches(all, id), id)
	}
}

func TestMarked(t *testing.T) {
	line := func(root, at string) string {
		return "186 178 254:0 " + root + " " + at + " rw,relatime - ext4 /dev/vda rw\n"
	}
	mark := "/run/containers/storage/overlay-containers/" + one + "/userdata/.containerenv"
	require.True(t, marked(line("/", "/")+line(mark, "/run/.containerenv"), one))
	require.False(t, marked(line(mark, "/run/.containerenv"), other))
	require.False(t, marked(line(mark, "/mnt"), one))
	require.False(t, marked(line("/run/containers/"+one+"/userdata/hosts", "/etc/hosts"), one))
	require.False(t, marked(line("/x/web/userdata/.containerenv", "/run/.containerenv"), "web"))
	require.False(t, marked("", one))
}

func TestInfoIsItsReference(t *testing.T) {
	for want, info := range map[string]Info{
		"docker://web":             {Engine: "docker", ID: one, Name: "web"},
		"containerd://default/web": {Engine: "containerd", Namespace: "default", ID: "web"},
		"cri://kube-system/dns/server": {
			Engine: "cri", Namespace: "kube-system", ID: one, Name: "dns/server",
		},
		one: {ID: one},
	} {
		require.Equal(t, want, info.String())
	}
	err := &AmbiguousError{"a", []Info{{Engine: "docker", ID: "a" + one[1:], Name: "web"}, {ID: "a" + other[1:]}}}
	require.Equal(t, `"a" is ambiguous: docker://web (a123456789ab), a`+other[1:], err.Error())
}
