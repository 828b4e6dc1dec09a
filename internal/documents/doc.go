// SPDX-License-Identifier: Apache-2.0

// Package documents holds no code, only the tests that keep the Markdown files of the module true:
//
//   - links lead to files that are there, and anchors to headings, by the rule that GitHub makes them by;
//   - a code block is of a language that something checks: go, which is built, or in a tutorial is an excerpt of its program; console,
//     which package transcript runs; yaml and json, which are excerpts of files beside the document;
//   - the identifiers of the module that are named in them, and in pictures, exist;
//   - the tables of docs/migrating.md hold all that the others' packages export;
//   - docs/troubleshooting.md has every error that the module's packages export, with the text that they have, and what it says that
//     airlock says is in the source of airlock;
//   - the links in the comments of the packages lead somewhere.
package documents
