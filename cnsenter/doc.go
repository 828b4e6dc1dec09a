// SPDX-License-Identifier: Apache-2.0

// Package cnsenter starts copies of a program that switch namespaces before their Go runtime starts.
package cnsenter
