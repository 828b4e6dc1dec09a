// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
)

// inWorker gives the working directory. Nothing else in this file is run, and this in the worker only.
func inWorker(context.Context, struct{}) (string, error) { return os.Getwd() }
