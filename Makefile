# Vignette. `make help` lists the targets; README.md says what each is for.
# Two programs are needed to begin: GNU make and Go 1.25 or newer. What else a
# target needs is named by its call of .ci/need, which installs it for root.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

# Patterns never match testdata, so its packages are named.
PACKAGES := ./... ./testdata/drive/... ./testdata/bench/... ./testdata/faults/... ./testdata/oracle/... ./testdata/reference/... ./testdata/review/... ./testdata/vm/...
# Packages with goroutines and processes: the race detector looks at them, and
# no result of them is taken from the cache, which does not see processes.
# A test that takes long on a busy machine is no fault: 30 minutes and not Go's 10.
SHELL_PACKAGES := ./agent/... ./ui-bridge/... ./testdata/faults
PURE_PACKAGES   = $(shell go list $(PACKAGES) | grep -Ev '^vignette/(agent|ui-bridge|testdata/faults)(/|$$)')

# The same sources make the same bytes, wherever they lie.
VERSION = $(shell .ci/version | head -n 1)
STAMP   = -X vignette/scenes/engine.ReleasedAs=$(VERSION)
NATIVE  = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(STAMP)'
STATIC  = CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -ldflags '-s -w -buildid= $(STAMP)'
# How the car's program is built is in one file; see RATIONALE.md, Size.
AGENT   = CGO_ENABLED=0 GOOS=linux GOFLAGS="$(shell cat agent/cmd/vignette-agent/goflags)" go build -buildvcs=false -ldflags '-s -w -R 0x4000 -buildid= $(STAMP)'

# The recorded drive is made by its generator, which embeds the DBCs.
DRIVE_SOURCES := $(filter-out %_test.go,$(wildcard testdata/drive/*.go testdata/drive/gen/*.go testdata/drive/*.dbc))

.PHONY: build arm amd64 release buildroot-check demo test check-sources check-generated lint test-oracle vm-test power soak audit bench bench-memory fuzz search generate clean help

build: ## bin/vignette, bin/vignette-agent and bin/vignette-hmi for this machine
	@.ci/need go
	$(NATIVE) -o bin/vignette ./agent/cmd/vignette
	$(AGENT) -o bin/vignette-agent ./agent/cmd/vignette-agent
	$(NATIVE) -o bin/vignette-hmi ./ui-bridge/cmd/vignette-hmi

arm: ## the agent, static and stripped, for ARMv7 and ARM64 Linux
	@.ci/need go
	GOARCH=arm GOARM=7 $(AGENT) -o bin/linux-armv7/vignette-agent ./agent/cmd/vignette-agent
	GOARCH=arm64 $(AGENT) -o bin/linux-arm64/vignette-agent ./agent/cmd/vignette-agent

amd64: ## the agent and the desk's program, static and stripped, for amd64 Linux
	@.ci/need go
	GOARCH=amd64 $(AGENT) -o bin/linux-amd64/vignette-agent ./agent/cmd/vignette-agent
	GOARCH=amd64 $(STATIC) -o bin/linux-amd64/vignette ./agent/cmd/vignette

release: ## dist/: the sources with vendor/, static programs, .debs, SBOMs, the Buildroot tree and SHA256SUMS
	@.ci/need go
	go run ./buildroot/release

buildroot-check: ## the external tree against checkouts of Buildroot: BUILDROOT="DIR …"; writes buildroot/tested
	@.ci/need go qemu-arm qemu-aarch64 make gcc g++ bc bison flex cpio file patch rsync unzip wget perl flake8 python-magic
	buildroot/check $(BUILDROOT)

demo: ## agent, D-Bus and a stand-in HMI on the recorded drive; DEMO_SECONDS=15 ends it early
	@.ci/need go dbus-daemon
	@$(MAKE) build build/drive.log
	bin/vignette demo --log build/drive.log --vehicle testdata/drive/vehicle.yaml --cards testdata/drive/cards $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

build/drive.log: $(DRIVE_SOURCES)
	@mkdir -p build
	go run ./testdata/drive/gen -o $@.new
	mv $@.new $@

test: ## everything builds, is formatted, vetted, linted, up to date and passes its tests
	@.ci/need go dbus-daemon busctl gdbus qemu-arm qemu-aarch64
	@$(MAKE) build check-sources lint check-generated
	go test -timeout 30m $(PURE_PACKAGES)
	@if command -v gcc >/dev/null; then \
		echo "go test -race -count=1 -timeout 30m $(SHELL_PACKAGES)"; \
		CGO_ENABLED=1 go test -race -count=1 -timeout 30m $(SHELL_PACKAGES); \
	else \
		echo "make test: no gcc, so $(SHELL_PACKAGES) run without the race detector (CI has it)"; \
		go test -count=1 -timeout 30m $(SHELL_PACKAGES); \
	fi

check-sources:
	@unformatted=$$(gofmt -l agent can scenes ui-bridge testdata); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:" $$unformatted >&2; exit 1; fi
	go vet $(PACKAGES)
	go vet -tags oracle,vm $(PACKAGES)

lint: ## staticcheck with every check of staticcheck.conf
	@.ci/need go
	go run $(STATICCHECK) $(PACKAGES)
	go run $(STATICCHECK) -tags oracle,vm $(PACKAGES)

# Generates in a copy of the sources, so that it holds with uncommitted work
# too and never touches the checkout.
check-generated:
	@copy=$$(mktemp -d); trap 'rm -rf "$$copy"' EXIT; \
	cp -r go.mod go.sum agent can scenes ui-bridge "$$copy"; \
	(cd "$$copy" && go generate ./...); \
	for room in go.mod go.sum agent can scenes ui-bridge; do \
		diff -r "$$room" "$$copy/$$room" || { echo "generated code is out of date; run make generate" >&2; exit 1; }; \
	done; \
	echo "generated code is up to date"

test-oracle: ## tests against cantools, python-can, can-utils, minisign, python-dbusmock, mpv, Qt, Chromium, dpkg, lintian, busybox and ../shared/data
	@.ci/need go dbus-daemon busctl gdbus qemu-arm qemu-aarch64 python-venv python-gi minisign log2asc dbusmock mpv mpv-mpris playerctl \
		systemd-analyze systemd-sysusers systemctl qt6 strace dpkg lintian shellcheck busybox chromium-headless-shell
	@if [ ! -e ../shared/data/MANIFEST.md ]; then \
		echo "make test-oracle: ../shared/data is missing; put the recordings and DBCs beside the repository" >&2; exit 1; fi
	@$(MAKE) .venv/installed
	PYTHON=$(CURDIR)/.venv/bin/python go test -count=1 -timeout 30m -tags oracle $(PACKAGES)

VM_ARCH    ?=
VM_SECONDS ?= 85
VM_ONLY    ?=
VM_LOAD    ?= 60
POWER_CUTS ?= 10
vm-test: ## the agent and the vm tests in arm64 and armv7 guests with CAN, as systemd's unit, and power losses; VM_ARCH=systemd for one guest
	@.ci/need go apt-get qemu-system-aarch64 qemu-system-arm mke2fs e2fsck
	@$(MAKE) build arm build/drive.log
	go run ./testdata/vm --arch "$(VM_ARCH)" --only "$(VM_ONLY)" --drive $(VM_SECONDS)s --load $(VM_LOAD)s --power $(POWER_CUTS)

power: ## of these the power losses alone: the arm64 agent's disk at random moments of its work, POWER_CUTS of them
	@.ci/need go apt-get qemu-system-aarch64 mke2fs e2fsck
	@$(MAKE) arm
	go run ./testdata/vm --arch power --power $(POWER_CUTS)

SOAK_DAYS ?= 30
soak: ## simulated days of drives, nights, kills and edits through the agent's program, then 100 power losses; SOAK_DAYS=n; build/soak.txt has the report
	@.ci/need go dbus-daemon apt-get qemu-system-aarch64 mke2fs e2fsck
	@$(MAKE) build arm
	@mkdir -p build; rm -f build/soak.txt
	go test ./testdata/faults -run '^TestSoak$$' -count=1 -v -timeout 3h -soak-days $(SOAK_DAYS) -soak-rate 200 -soak-report $(CURDIR)/build/soak.txt
	go run ./testdata/vm --arch power --power 100

.venv/installed: .ci/requirements.txt
	rm -rf .venv
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r .ci/requirements.txt
	touch $@

# Minimising what it finds may stall Go's fuzzer; ten tries are enough here.
FUZZTIME ?= 60s
fuzz: ## every fuzz target for a minute each; FUZZTIME=10m make fuzz for longer
	@.ci/need go
	@grep -rE --include='*_test.go' '^func Fuzz' agent can scenes ui-bridge | sed -E 's,/[^/]*:func (Fuzz[A-Za-z0-9]+).*, \1,' | \
	while read -r package target; do \
		echo "go test -run '^$$' -fuzz ^$$target\$$ -fuzztime $(FUZZTIME) ./$$package"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "./$$package" </dev/null; \
	done

CASES ?= 1000000
search: ## engine against reference on a million new random cases; CASES=n make search for another number
	@.ci/need go
	go test ./testdata/reference -run TestWholeLogs -search -cases $(CASES) -timeout 6h

AUDIT_CARS ?= 2000
audit: ## the attacks of docs/audit.md on 2,000 simulated cars over 10 weeks, and on recorders that are weakened; build/audit has the result
	@.ci/need go
	go test ./ui-bridge/audit -run '^Test(FleetPasses|WeakenedFleetsFail)$$' -count=1 -v -timeout 2h -cars $(AUDIT_CARS) -weak 300 -results $(CURDIR)/build/audit

bench: ## speed against python-can and cantools, the agent's latency and idle cost, and benchmarks with their allocations
	@.ci/need go dbus-daemon python-venv
	@$(MAKE) build build/drive.log .venv/installed
	go run ./testdata/bench --python .venv/bin/python --dbc "$(wildcard ../shared/data/dbc/Model3CAN.dbc)"
	go test -run '^$$' -bench . -benchmem ./can/dbc ./can/canlog ./can/canlog/candump ./scenes/drive ./scenes/check ./ui-bridge/trace ./testdata/bench/network
	go run ./testdata/bench/review
	go run ./testdata/bench/catalog
	go test -run '^$$' -bench '^Benchmark(CallLatency|Interactions|Idle)$$' ./agent

bench-memory: ## memory on recordings of 1 GB; needs 1 GB of disk and some minutes
	@.ci/need go
	@$(MAKE) build
	go run ./testdata/bench/memory

generate: ## write generated code anew
	@.ci/need go
	go generate ./...

clean: ## remove bin, build, dist and .venv
	rm -rf bin build dist .venv

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r target what; do printf '  %-15s %s\n' "$$target" "$$what"; done
