// SPDX-License-Identifier: Apache-2.0

//go:build linux

package container_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/airlock-ns/airlock/launcher/container"
)

// A pid that somebody has told may be another process's by now: our own is not in this container.
func ExampleProcess_Check() {
	p, err := container.Open(os.Getpid())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	err = p.Check(strings.Repeat("0123456789abcdef", 4))
	fmt.Println(errors.Is(err, container.ErrOtherProcess))
	// Output: true
}

func ExampleFind() {
	_, err := container.Find(context.Background(), "0123456789ab")
	fmt.Println(err)
	// Output: container: find "0123456789ab": no such container
}

func ExampleInfo_String() {
	fmt.Println(container.Info{Engine: "containerd", Namespace: "default", ID: "web", PID: 4711})
	// Output: containerd://default/web
}

func ExampleIsID() {
	fmt.Println(container.IsID("0123456789ab"), container.IsID("0123"), container.IsID("web"))
	// Output: true false false
}
