// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package launcher

import "errors"

func ownPrivileges() (*privileges, error) { return nil, errors.ErrUnsupported }
