// SPDX-License-Identifier: Apache-2.0

// Command valgrind carries out plans of every kind in a C program under valgrind(1), and fails if that finds an error. make valgrind runs
// it in the module's root, as root or as an ordinary user.
package main
