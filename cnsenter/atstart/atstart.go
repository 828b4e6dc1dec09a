// SPDX-License-Identifier: Apache-2.0

//go:build linux

package atstart

import "C"

import _ "github.com/airlock-ns/airlock/cnsenter" // the constructor
