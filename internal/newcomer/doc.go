// SPDX-License-Identifier: Apache-2.0

// Package newcomer holds no code, only a test: whoever follows the README, and nothing else, gets a program of his own.
package newcomer
