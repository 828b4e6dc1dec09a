# SPDX-License-Identifier: Apache-2.0

# make demo and make test need Go, a C compiler and make; the rest names what it misses.
# AIRLOCK_REQUIRE=root|user turns what is missing into a failure (see internal/fixture).

SHELL   := /bin/bash
GO      ?= go
TOOL    := $(GO) tool -modfile=internal/tools/go.mod
STATIC  := -tags osusergo,netgo -ldflags '-linkmode external -extldflags -static'

# MISSING NAME says that a program is missing, and ends the recipe if it is required.
MISSING := missing() { echo "skipped: $$1 is not installed"; test -z "$$AIRLOCK_REQUIRE" || exit 1; }; missing

# staticcheck runs all its checks but these. ST1000: package main needs no package comment.
# ST1003 would rename the kernel's names.
CHECKS  := all,-ST1000,-ST1003

# -Werror only here: in #cgo lines it would break users at the next compiler.
CWARN   := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes
# What is fortified is checked by what the optimiser knows, so it takes its warnings from a compilation, not from the syntax.
FORTIFY := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -Wformat=2
CFILES   = $(wildcard cnsenter/*/*.c cnsenter/*/*/*.c internal/fuzz/*.c internal/valgrind/plain/*.c)

.PHONY: help demo test check check-format check-vet check-lint check-tidy check-workflows check-c race nocgo musl asan valgrind fuzz vmtest bench promises airlock dist dist-test generate clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: ## enter a throw-away target and call a function in it
	@$(GO) run ./examples/hello

test: ## run all tests, and list what was skipped and why
	@skips=$$(mktemp) && chmod 666 $$skips && status=0; \
	AIRLOCK_SKIPS=$$skips $(GO) test -count=1 $(TESTFLAGS) ./... || status=$$?; \
	if [ -s $$skips ]; then echo "skipped, and why:"; sort -u $$skips | sed 's/^/  /'; else echo "skipped: nothing"; fi; \
	rm -f $$skips; exit $$status

check: check-format check-vet check-lint check-tidy check-workflows check-c ## format, vet, lint, modules, workflows, other systems, C

check-format:
	@files=$$($(TOOL) gofumpt -l .) || exit; test -z "$$files" || { echo "not formatted by gofumpt:" $$files; exit 1; }

check-vet:
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) vet ./...
	GOOS=darwin CGO_ENABLED=0 $(GO) vet ./...
	GOOS=windows CGO_ENABLED=0 $(GO) vet ./...

check-lint:
	$(TOOL) staticcheck -checks $(CHECKS) ./...

check-tidy:
	$(GO) mod tidy -diff
	$(GO) mod verify

check-workflows:
	$(TOOL) actionlint .github/workflows/*.yml

check-c:
	@for cc in gcc clang musl-gcc; do \
		if ! command -v $$cc >/dev/null; then $(MISSING) $$cc; continue; fi; \
		echo $$cc -fsyntax-only $(CWARN) $(CFILES); $$cc -fsyntax-only $(CWARN) $(CFILES) || exit; \
	done
	@if command -v gcc >/dev/null; then \
		for f in $(CFILES); do echo gcc -fanalyzer $$f; gcc -fanalyzer -c -o /dev/null $(CWARN) $$f || exit; \
			echo gcc $(FORTIFY) $$f; gcc $(FORTIFY) -c -o /dev/null $(CWARN) $$f || exit; done; \
	else $(MISSING) gcc; fi

race: ## run all tests with the race detector
	GORACE=atexit_sleep_ms=0 $(GO) test -count=1 -race $(TESTFLAGS) ./...

nocgo: ## build and test without cgo
	CGO_ENABLED=0 $(GO) build ./...
	CGO_ENABLED=0 $(GO) test -count=1 $(TESTFLAGS) ./...

musl: ## run the tests as static musl binaries
	@if ! command -v musl-gcc >/dev/null; then $(MISSING) musl-gcc; exit; fi; \
	CC=musl-gcc CGO_ENABLED=1 $(GO) test -count=1 $(STATIC) $(TESTFLAGS) ./...

# The leak checker traces the process, which is not dumpable.
asan: ## run the tests of what links the constructor under the address and undefined behaviour sanitizers
	@if ! command -v gcc >/dev/null; then $(MISSING) gcc; exit; fi; \
	CC=gcc CGO_ENABLED=1 CGO_CFLAGS='-O1 -g -fsanitize=undefined -fno-sanitize-recover=undefined' CGO_LDFLAGS=-fsanitize=undefined \
	ASAN_OPTIONS=detect_leaks=0 $(GO) test -count=1 -asan $(TESTFLAGS) ./cnsenter/... ./launcher ./cmd/airlock

valgrind: ## carry out plans of every kind under valgrind
	@if ! command -v valgrind >/dev/null; then $(MISSING) valgrind; exit; fi; $(GO) run ./internal/valgrind

fuzz: ## fuzz all that is parsed (FUZZTIME=60 seconds for each C target, GOFUZZTIME=100000x for each in Go)
	@if ! command -v clang >/dev/null; then $(MISSING) clang; exit; fi; internal/fuzz/run

vmtest: ## run the core of the suite under Debian's kernels, emulated by qemu
	@for p in qemu-system-x86_64 qemu-system-aarch64 aarch64-linux-gnu-gcc apt-get busybox; do \
		if ! command -v $$p >/dev/null; then $(MISSING) $$p; exit; fi; done; internal/vmtest/run

bench: ## measure us and the peers side by side (BENCHFLAGS='-json -run call')
	@$(GO) run ./internal/bench $(BENCHFLAGS)

airlock: ## build bin/airlock, static with musl where musl-gcc is installed, and bin/airlock-engine
	@mkdir -p bin; if command -v musl-gcc >/dev/null; \
	then CC=musl-gcc CGO_ENABLED=1 $(GO) build -trimpath $(STATIC) -o bin/airlock ./cmd/airlock; \
	else $(GO) build -trimpath -o bin/airlock ./cmd/airlock; fi
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/airlock-engine ./cmd/airlock-engine

dist: ## build a release in dist/: archives and Debian packages for amd64 and arm64, checksums
	@internal/dist/build

dist-test: dist ## build dist/ twice, and install, use and remove its Debian package, as root
	@if ! command -v mmdebstrap >/dev/null; then $(MISSING) mmdebstrap; exit; fi; internal/dist/reproduce && internal/dist/try

promises: ## run the test of every promise, and print a row each
	@$(GO) run ./internal/promises

generate: ## write the manual and the pictures in docs/, and what is exported in docs/api/
	CGO_ENABLED=0 $(GO) run ./cmd/airlock manual docs
	CGO_ENABLED=0 $(GO) run ./internal/recording docs/at-the-shell.md >docs/at-the-shell.svg
	CGO_ENABLED=0 $(GO) run ./internal/drawing >docs/how-it-works.svg
	$(GO) run ./internal/api docs/api

clean: ## remove what the targets above made
	rm -rf bin dist
