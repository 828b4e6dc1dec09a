// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	strict "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// objects decodes the manifest into the types of the API. A field that they do not have, or one that is there twice, is an error.
func objects(t *testing.T) (list []runtime.Object) {
	scheme := runtime.NewScheme()
	require.NoError(t, corev1.AddToScheme(scheme))
	require.NoError(t, appsv1.AddToScheme(scheme))
	decoder := strict.NewSerializerWithOptions(strict.DefaultMetaFactory, scheme, scheme, strict.SerializerOptions{Yaml: true, Strict: true})
	text, err := os.ReadFile("daemonset.yaml")
	require.NoError(t, err)
	for documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return list
		}
		require.NoError(t, err)
		object, _, err := decoder.Decode(document, nil, nil)
		require.NoError(t, err, "%s", document)
		list = append(list, object)
	}
}

// podSpec is that of the pod of the DaemonSet.
func podSpec(t *testing.T) corev1.PodSpec {
	for _, object := range objects(t) {
		if set, ok := object.(*appsv1.DaemonSet); ok {
			return set.Spec.Template.Spec
		}
	}
	require.Fail(t, "no DaemonSet")
	return corev1.PodSpec{}
}

// seccompProfile is the profile, which is in the form that the runtimes have for it.
func seccompProfile(t *testing.T) *specs.LinuxSeccomp {
	text, err := os.ReadFile("seccomp.json")
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var profile specs.LinuxSeccomp
	require.NoError(t, decoder.Decode(&profile))
	return &profile
}

func TestManifest(t *testing.T) {
	list := objects(t)
	require.Len(t, list, 3)
	namespace, account, set := list[0].(*corev1.Namespace), list[1].(*corev1.ServiceAccount), list[2].(*appsv1.DaemonSet)
	require.Equal(t, "privileged", namespace.Labels["pod-security.kubernetes.io/enforce"], "nothing less admits it")
	require.Equal(t, namespace.Name, account.Namespace)
	require.Equal(t, namespace.Name, set.Namespace)
	require.Equal(t, set.Spec.Selector.MatchLabels, set.Spec.Template.Labels)
	spec := set.Spec.Template.Spec
	require.Equal(t, account.Name, spec.ServiceAccountName)
	require.False(t, *account.AutomountServiceAccountToken)
	require.False(t, *spec.AutomountServiceAccountToken)
	require.True(t, spec.HostPID)
	require.False(t, spec.HostNetwork || spec.HostIPC)
	require.Equal(t, []corev1.Toleration{{Operator: corev1.TolerationOpExists}}, spec.Tolerations)

	require.Len(t, spec.Containers, 1)
	c := spec.Containers[0]
	require.Nil(t, c.SecurityContext.Privileged)
	require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, corev1.SeccompProfileTypeLocalhost, c.SecurityContext.SeccompProfile.Type)
	require.Equal(t, "seccomp.json", path.Base(*c.SecurityContext.SeccompProfile.LocalhostProfile))
	require.True(t, c.VolumeMounts[0].ReadOnly)
	for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
		require.Equal(t, http.StatusOK, ask(t, probe.HTTPGet.Path).Code)
		require.Equal(t, c.Ports[0].Name, probe.HTTPGet.Port.StrVal)
	}
	dockerfile, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(dockerfile), "-t "+c.Image+" .\n")
}
