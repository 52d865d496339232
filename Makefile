# `make help` lists the targets. Needed on PATH: Go 1.26 or later, git; for the test hosts: Debian 12, root.
# The rest (Python environments, podman, mmdebstrap) is installed by the targets that use it.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# The version to be released next, or just released. What is not exactly that tag says so: v1.0.0+5-g1a2b3c4-dirty.
RELEASE  := $(shell cat VERSION)
BUILT    := $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION)
VERSION  := $(RELEASE)$(if $(filter-out $(RELEASE),$(BUILT)),+$(patsubst $(RELEASE)-%,%,$(BUILT)))
LIBRARY  := library
MODULES  := $(patsubst modules/%/main.go,%,$(wildcard modules/*/main.go))
INTERNAL := $(shell find modules/internal -name '*.go' ! -name '*_test.go')
LAB      := .cache/bin/lab
LAB_FILES = $(shell find molecule/lab -name '*.go' -o -path '*/lab/files/*' -type f) molecule/lab/go.mod
# Archives are built anew, so that each module tells their version, and aside, so that library/ stays usable meanwhile.
DIST     := dist
STAGE    := .cache/dist
ARCHITECTURES := amd64 ppc64le
# Static and small: one binary for every Linux of the architecture; grpcnotrace drops a third of the client's size. The version is VERSION's
# alone: with what git says of the directory, the same commit would give other bytes elsewhere.
GO_BUILD  = CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -tags grpcnotrace \
            -ldflags "-s -w -X etcd-quorum-restore/modules/internal/ansible.Version=$(VERSION)"

export PATH := $(CURDIR)/.cache/venv/current/bin:$(PATH)
export FUZZTIME ?= 10m
export RUNTIME ?= systemd
export JOBS ?= 2

.PHONY: help modules unit lint molecule control packages matrix test demo test-hostile test-power test-model test-crash test-states fuzz bench changelog dist collection clean \
        environments newest hosts go-present stale library-files

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

modules: go-present stale ## build every module into library/, with its documentation beside it
	@$(MAKE) --no-print-directory -k -j$$(nproc) library-files

# Two views of one build. library/ has each module with its documentation beside it, as ansible-doc wants it. Ansible 2.9 runs
# only from library/bin: where NAME and NAME.yml are in one directory, it takes whichever the file system lists first.
library-files: $(foreach module,$(MODULES),$(LIBRARY)/bin/$(module) $(LIBRARY)/$(module) $(LIBRARY)/$(module).yml)

ASIDE := .cache/build/$(subst /,_,$(LIBRARY))

# Built aside and moved: a playbook that runs meanwhile gets the whole old module or the whole new one.
.SECONDEXPANSION:
$(MODULES:%=$(LIBRARY)/bin/%): $(LIBRARY)/bin/%: $$(filter-out %_test.go,$$(wildcard modules/$$*/*.go)) $$(wildcard modules/$$*/*.html) modules/$$*/$$*.yml $(INTERNAL) go.mod go.sum VERSION
	@echo "build   $*"
	@mkdir -p $(@D) $(ASIDE) && $(GO_BUILD) -o $(ASIDE)/$* ./modules/$* && mv $(ASIDE)/$* $@ && touch $@

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

lint: environments modules ## ansible-lint (production), yamllint, ansible-doc, argument_specs, syntax for Ansible 2.9, staticcheck, go mod tidy
	@yamllint --strict .
	@ANSIBLE_INVENTORY=$(CURDIR)/inventory/separate.ini ansible-lint --nocolor -q
	@python molecule/control/check_docs.py .
	@python molecule/control/examples.py check .
	@python molecule/control/check_entries.py .
	@python molecule/control/check_targets.py .
	@python molecule/control/check_acts.py .
	@python molecule/control/check_plays.py .
	@python molecule/control/check_locks.py .
	@python molecule/control/check_stops.py .
	@python molecule/control/check_chapter.py .
	@python molecule/control/check_links.py .
	@python molecule/control/changelog.py check .
	@molecule/control/syntax
	@molecule/control/check_go
	@molecule/control/habits
	@molecule/control/page

molecule: environments modules hosts ## scenarios on real hosts: all, or SCENARIO=name; JOBS=2 at a time
	@molecule/shared/run $(SCENARIO)

control: environments modules hosts ## the smoke test from both control nodes, Ansible 2.9 on Python 2.7 and today's; the record in a browser
	@molecule/control/look
	@molecule/control/smoke

packages: environments modules ## the archives are complete and have the same bytes each time, the collection installs (before a release)
	@molecule/control/archive
	@molecule/control/collection

matrix: environments newest modules ## Ansible 2.9 on both Pythons to the newest, without hosts; LAB=yes: with three (long), and with WRITE=yes README's table
	@molecule/control/matrix

# With two at a time, half of two cores waits for elections and boots.
test: export JOBS = 3
test: ## unit, lint, molecule and both control nodes; about an hour on 2 cores, and no more than BUDGET=75 minutes
	@molecule/control/test environments modules hosts unit+lint molecule control

demo: environments modules hosts ## three hosts lose their quorum and get it back; RUNTIME=static_pod for pods
	@molecule/demo/run

test-hostile: hosts ## links, races, bad files, servers and arguments, as root, with the table of all modules; a part of it in `make unit`
	@go test -count=1 -run Hostile -skip HostileMatrix ./modules/...
	@HOSTILE=all go test -count=1 -timeout 60m -v -run HostileMatrix ./modules/internal/moduletest

test-power: environments modules hosts ## power cuts under writers, forced start with and without the kept log (long; PART=1/3)
	@KEPT=$$(molecule/shared/kept power) molecule/power/run

test-model: go-present ## the decision against a model of etcd: N=100000 random nights from SEED=1 on, all of LENGTH=2 events (long; PART=1/3)
	@MODEL_N=$(or $(N),100000) MODEL_SEED=$(or $(SEED),1) MODEL_LENGTH=$(or $(LENGTH),2) MODEL_PART=$(PART) \
	    go test ./modules/internal/plan -run 'TestModel' -count=1 -timeout 24h -v

test-crash: environments modules hosts ## the flow killed after each step and run again (long; PART=1/3)
	@molecule/crash/run

test-states: environments modules hosts ## states on real hosts, and how restore_quorum.yml ends in each: a table (long; STATES=short, PART=1/3)
	@KEPT=$$(molecule/shared/kept states) molecule/states/run

bench: environments modules hosts ## seconds and ratios to a plain script of the chapter's commands
	@molecule/bench/run

fuzz: go-present ## every fuzz target, FUZZTIME=10m split between them; PART=1/3
	@molecule/control/fuzz $(FUZZTIME)

changelog: ## CHANGELOG.md from the files in changelog/
	@python3 molecule/control/changelog.py write .

# What a site unpacks on its control node: one archive for each architecture of OpenShift 3.11, for a control node and hosts of that architecture.
dist: go-present ## dist/: a versioned archive for each architecture, with SHA256SUMS; the same bytes from the same commit
	@rm -rf $(STAGE) $(DIST)/SHA256SUMS && mkdir -p $(DIST)
	@for architecture in $(ARCHITECTURES); do \
	    $(MAKE) --no-print-directory GOARCH=$$architecture LIBRARY=$(STAGE)/$$architecture/library modules && \
	    molecule/control/pack $(STAGE)/$$architecture etcd-quorum-restore-$(VERSION)-linux-$$architecture $(VERSION) $(DIST) || exit 1; \
	done
	@rm -rf $(STAGE)
	@cd $(DIST) && sha256sum etcd-quorum-restore-$(VERSION)-linux-*.tar.gz | tee SHA256SUMS

# ansible-galaxy has no fixed times: its sums are those of one build.
collection: environments dist ## dist/: the same as a collection, quorum.etcd, for `ansible-galaxy collection install`
	@for architecture in $(ARCHITECTURES); do \
	    archive=etcd-quorum-restore-$(VERSION)-linux-$$architecture && mkdir -p $(STAGE) && \
	    tar -xzf $(DIST)/$$archive.tar.gz -C $(STAGE) && \
	    python molecule/control/pack_collection.py $(STAGE)/$$archive $(STAGE) quorum-etcd-$(VERSION)-linux-$$architecture $(DIST) && \
	    rm -rf $(STAGE) || exit 1; \
	done
	@cd $(DIST) && sha256sum etcd-quorum-restore-$(VERSION)-linux-*.tar.gz quorum-etcd-$(VERSION)-linux-*.tar.gz | tee SHA256SUMS

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
