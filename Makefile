# `make help` lists the targets. Needed on PATH: Go 1.26 or later, git; for the test hosts: Debian 12, root.
# The rest (Python environments, podman, mmdebstrap) is installed by the targets that use it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LIBRARY  := library
MODULES  := $(patsubst modules/%/main.go,%,$(wildcard modules/*/main.go))
INTERNAL := $(shell find modules/internal -name '*.go' ! -name '*_test.go')
LAB      := .cache/bin/lab
LAB_FILES = $(shell find molecule/lab -name '*.go' -o -path '*/lab/files/*' -type f) molecule/lab/go.mod
# Static and small: one binary for every Linux of the architecture; grpcnotrace drops a third of the client's size.
GO_BUILD  = CGO_ENABLED=0 GOOS=linux go build -trimpath -tags grpcnotrace \
            -ldflags "-s -w -X etcd-quorum-restore/modules/internal/ansible.Version=$(VERSION)"

export PATH := $(CURDIR)/.cache/venv/current/bin:$(PATH)
export FUZZTIME ?= 10m
export RUNTIME ?= systemd
export JOBS ?= 2

.PHONY: help modules unit lint molecule control test demo test-power test-crash fuzz bench dist clean \
        environments newest hosts go-present stale library-files

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

modules: go-present stale ## build every module into library/, with its documentation beside it
	@$(MAKE) --no-print-directory -k -j$$(nproc) library-files

# Two views of one build. library/ has each module with its documentation beside it, as ansible-doc wants it. Ansible 2.9 runs
# only from library/bin: where NAME and NAME.yml are in one directory, it takes whichever the file system lists first.
library-files: $(foreach module,$(MODULES),$(LIBRARY)/bin/$(module) $(LIBRARY)/$(module) $(LIBRARY)/$(module).yml)

# Built aside and moved: a playbook that runs meanwhile gets the whole old module or the whole new one.
.SECONDEXPANSION:
$(MODULES:%=$(LIBRARY)/bin/%): $(LIBRARY)/bin/%: $$(filter-out %_test.go,$$(wildcard modules/$$*/*.go)) modules/$$*/$$*.yml $(INTERNAL) go.mod go.sum
	@echo "build   $*"
	@mkdir -p $(@D) .cache/build && $(GO_BUILD) -o .cache/build/$* ./modules/$* && mv .cache/build/$* $@ && touch $@

$(MODULES:%=$(LIBRARY)/%): $(LIBRARY)/%: $(LIBRARY)/bin/%
	@ln -sfn bin/$* $@

$(MODULES:%=$(LIBRARY)/%.yml): $(LIBRARY)/%.yml: modules/$$*/$$*.yml
	@cp $< $@

# A module that was renamed must not stay usable under its old name.
stale:
	@mkdir -p $(LIBRARY) && find $(LIBRARY) -mindepth 1 ! -type d ! -name .gitkeep | while read -r file; do \
	    module=$$(basename "$$file" .yml); \
	    [ -f "modules/$$module/main.go" ] || { echo "remove  $$file"; rm -f "$$file"; }; done

unit: hosts ## gofmt, go vet and go test of everything, with a count
	@molecule/control/unit

lint: environments modules ## ansible-lint (production), yamllint, ansible-doc, argument_specs, syntax for Ansible 2.9
	@yamllint --strict .
	@ANSIBLE_INVENTORY=$(CURDIR)/inventory/separate.ini ansible-lint --nocolor -q
	@python molecule/control/check_docs.py .
	@python molecule/control/check_targets.py .
	@python molecule/control/check_chapter.py .
	@molecule/control/syntax

molecule: environments modules hosts ## scenarios on real hosts: all, or SCENARIO=name; JOBS=2 at a time
	@molecule/shared/run $(SCENARIO)

control: environments modules hosts ## the smoke test from both control nodes: Ansible 2.9 on Python 2.7, and today's
	@molecule/control/smoke

test: ## unit, lint, molecule and both control nodes; about an hour on 2 cores
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory molecule
	@$(MAKE) --no-print-directory control

demo: environments modules hosts ## three hosts lose their quorum and get it back; RUNTIME=static_pod for pods
	@molecule/demo/run

test-power: environments modules hosts ## power cuts under writers, forced start with and without the kept log (long)
	@molecule/power/run

test-crash: environments modules hosts ## the flow killed after each step and run again (long)
	@molecule/crash/run

bench: environments modules hosts ## seconds and ratios to a plain script of the chapter's commands
	@molecule/bench/run

fuzz: go-present ## every fuzz target, FUZZTIME=10m split between them
	@molecule/control/fuzz $(FUZZTIME)

# Built anew, so that each module tells the version of the archive, and aside, so that library/ stays usable meanwhile.
dist: go-present ## dist/etcd-quorum-restore-VERSION.tar.gz: what a site's control node needs
	@rm -rf .cache/dist && mkdir -p dist
	@$(MAKE) --no-print-directory LIBRARY=.cache/dist/library modules
	@tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$$(git log -1 --format=%ct)" \
	    --transform 's,^,etcd-quorum-restore-$(VERSION)/,S' -czf dist/etcd-quorum-restore-$(VERSION).tar.gz \
	    README.md LICENSE CHANGELOG.md ansible.cfg inventory playbooks roles -C .cache/dist library
	@rm -rf .cache/dist
	@ls -l dist/etcd-quorum-restore-$(VERSION).tar.gz

clean: ## built modules, labs, environments and caches
	@[ ! -x $(LAB) ] || { ls .cache/labs 2>/dev/null || :; } | xargs -r -n1 $(LAB) down
	@find library -mindepth 1 ! -name .gitkeep -delete
	@rm -rf dist .cache

environments: ## (part) the control nodes' Python environments in .cache/venv
	@molecule/control/environment current
	@molecule/control/environment rhel7

newest: ## (part) the environment of the newest ansible-core, where the machine has Python 3.13
	@molecule/control/environment newest

hosts: $(LAB) ## (part) the test hosts' image and etcd 3.2.32, built once
	@$(LAB) build

$(LAB): $(LAB_FILES) | go-present
	@mkdir -p $(@D)
	@cd molecule/lab && CGO_ENABLED=0 go build -o ../../$@ .

# Run in the project, so that a Go that can fetch the version of go.mod by itself passes.
go-present:
	@version=$$(go env GOVERSION 2>/dev/null); [[ "$$version" =~ ^go1\.(2[6-9]|[3-9][0-9]) ]] || { \
	    echo "Go 1.26 or later must be on PATH; found: $${version:-none}. Next: https://go.dev/dl/" >&2; exit 1; }
