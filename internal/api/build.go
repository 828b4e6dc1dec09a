// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const module = "github.com/airlock-ns/airlock"

// build is a way to build the module: what is exported differs between them.
type build struct {
	name string
	env  []string
}

var builds = []build{
	{"linux", []string{"GOOS=linux", "CGO_ENABLED=1"}},
	{"linux without cgo", []string{"GOOS=linux", "CGO_ENABLED=0"}},
	{"darwin", []string{"GOOS=darwin", "CGO_ENABLED=0"}},
}

// packages compiles the module and returns its packages that other modules can import.
func (b build) packages() ([]*types.Package, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Export", module+"/...")
	list.Env = append(list.Environ(), b.env...)
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: go list: %w\n%s", b.name, err, &stderr)
	}
	files := map[string]string{} // the export data of each package
	var public []string
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Name, Export string }
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		files[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/") && p.Name != "main" && !strings.Contains(p.ImportPath, "/internal/") {
			public = append(public, p.ImportPath)
		}
	}
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	slices.Sort(public)
	var packages []*types.Package
	for _, path := range public {
		p, err := imports.Import(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		packages = append(packages, p)
	}
	return packages, nil
}
