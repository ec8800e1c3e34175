# odbxfs: everything that a newcomer or CI runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help check-machine check-demo demo demo-odoo build test unit race bench bench-dropbox soak lint lab lab-clean clean

GO    ?= go
DIR   ?= demo
# The linter is built once into .tools, from the versions pinned in tools/go.mod.
LINT  := .tools/golangci-lint

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

check-machine: ## check this machine and install what is missing (root or sudo)
	@bash integration/bootstrap.sh test

check-demo:
	@bash integration/bootstrap.sh demo

build: ## build bin/odbxfs (static, no C)
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/odbxfs ./cmd/odbxfs

demo: check-demo build ## try it: in-memory Odoo and Dropbox, mounted below DIR (default ./demo)
	bin/odbxfs demo --dir "$(DIR)"

demo-odoo: check-machine lab build ## the same with a real Odoo 19 from the lab
	bin/odbxfs demo --dir "$(DIR)" --odoo 19

lab: check-machine ## build the real Odoo 14 and 19 servers into .lab, once
	$(GO) run ./integration/lab/labctl build

lab-clean: ## throw the lab away
	$(GO) run ./integration/lab/labctl clean

$(LINT): tools/go.mod tools/go.sum
	@mkdir -p .tools
	CGO_ENABLED=0 $(GO) build -modfile=tools/go.mod -o $(LINT) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT) ## gofmt, tidy, vet and the lints of .golangci.yml
	@bad=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); if [ -n "$$bad" ]; then echo "not formatted (gofmt -w): $$bad"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(LINT) run ./...

test: check-machine ## everything that CI runs: lints, unit, contract and whole-system tests on real Odoo servers
	@bash integration/test.sh

unit: ## the tests that need neither lab nor mount
	$(GO) test -shuffle=on -count=1 . ./cache/... ./sync/... ./cmd/...

race: check-machine ## what runs in one process, under the race detector, with few seeds
	SIM=20 $(GO) test -race -timeout 60m -p 1 -shuffle=on -count=1 -vet=off . ./cache/... ./fs/... ./sync/... ./cmd/...

bench: check-machine ## benchmarks, as ratios
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

bench-dropbox: check-machine ## our client and rclone at the same work on the emulator (root or sudo; a quarter of an hour)
	ODBXFS_BENCH=1 $(GO) test -timeout 2h -count=1 -v -run TestBench ./integration/peers

soak: check-machine lab ## what is longer than CI: more seeds, more rounds
	ODBXFS_SOAK=1 SIM=2000 $(GO) test -timeout 3h -count=1 -shuffle=on ./...

clean: ## remove what was built here, the lab excepted
	rm -rf bin .tools
