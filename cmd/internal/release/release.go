// SPDX-License-Identifier: Apache-2.0

// Package release knows which version of the module the programs were built from.
package release

import "runtime/debug"

// version is what "make dist" was given, by -ldflags -X. Other builds leave it empty.
var version string

// Version is the version of this build: what "make dist" was given; or the version of the module, which "go install" and a build in a
// checkout put into a program; or "(devel)", if neither is known.
func Version() string {
	info, _ := debug.ReadBuildInfo()
	return choose(version, info)
}

func choose(version string, info *debug.BuildInfo) string {
	switch {
	case version != "":
		return version
	case info != nil && info.Main.Version != "":
		return info.Main.Version
	}
	return "(devel)"
}
