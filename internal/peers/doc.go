// SPDX-License-Identifier: Apache-2.0

// Package peers holds no code, only tests that put airlock beside the systems that it replaces: linked into
// one program with them, and on work that they cannot do.
package peers
