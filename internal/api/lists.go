// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lists are the packages' lines by the name of a file for each. A line that not all builds have ends in a comment that says which.
func lists() (map[string]string, error) {
	have := map[string]map[string][]string{} // by package and line, the builds
	for _, b := range builds {
		packages, err := b.packages()
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			if have[p.Path()] == nil {
				have[p.Path()] = map[string][]string{}
			}
			for _, line := range lines(p) {
				have[p.Path()][line] = append(have[p.Path()][line], b.name)
			}
		}
	}
	files := map[string]string{}
	for path, all := range have {
		var text strings.Builder
		fmt.Fprintf(&text, "package %s\n\n", path)
		for _, line := range slices.Sorted(maps.Keys(all)) {
			text.WriteString(line)
			if len(all[line]) < len(builds) {
				text.WriteString(" // " + strings.Join(all[line], ", "))
			}
			text.WriteByte('\n')
		}
		files[strings.ReplaceAll(strings.TrimPrefix(path, module+"/"), "/", "-")+".txt"] = text.String()
	}
	return files, nil
}
