# Liên thông: `make run` shows the province at work, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPONENTS := proto libs/kit libs/tlog libs/pages libs/relying libs/client gateway services/catalog services/identity services/exchange services/ledger console deploy/local deploy/edge examples/binh-thuan
PROTOS := $(shell find proto/lienthong -name '*.proto')
MANIFESTS := $(addsuffix /pyproject.toml,$(COMPONENTS))
SOURCES := $(addsuffix /src,$(filter-out proto,$(COMPONENTS)))
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
PROTO_READY := proto/gen/.ready
FUZZ_READY := $(VENV)/.ready-fuzz
COMPILED := $(CURDIR)/build/compiled
COMPILED_READY := $(COMPILED)/.ready
# What the compiled modules are for: their own tests, and those of the process that is made of them.
OF_THE_WAY := tests/unit/gateway tests/integration/gateway
# More than there are cores: much of a test's time is waiting for processes.
WORKERS ?= 4
# Unit tests wait for little, each worker collects all of them before it runs one, and none needs the plugin,
# which takes seconds to load.
UNIT_WORKERS ?= logical
OF_UNITS := --numprocesses $(UNIT_WORKERS) -p no:schemathesis
PARALLEL := --numprocesses $(WORKERS)
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
  --no-emit-package lienthong-contracts --no-emit-package lienthong-kit --no-emit-package lienthong-tlog --no-emit-package lienthong-pages --no-emit-package lienthong-relying \
  --no-emit-package lienthong-client --no-emit-package lienthong-local --no-emit-package lienthong-edge

# Our own modules are compiled once, not at each start of a process: half of the time that a start takes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup hooks proto compile check sync format reference screenshots contracts audit test test-compiled unit coverage faults hostile routes fuzz golden run bench bench-targets bench-identity bench-catalog bench-search lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV_READY) $(PROTO_READY) ## install everything that running, testing and checking need into .venv

hooks: $(DEV_READY) ## let git run the quick checks at every commit, and all checks at every push
	$(BIN)/pre-commit install

proto: $(PROTO_READY) ## build the Python stubs of proto/ into proto/gen

compile: $(COMPILED_READY) ## compile the way of a call to machine code, as in images, into build/compiled; needs a C compiler

run: $(PROTO_READY) ## start the demo province and show its first calls; Ctrl-C ends it
	@$(BIN)/python -m binh_thuan

# A compiler of one large file leaves a core to the checks.
test: $(DEV_READY) $(PROTO_READY) ## check, then run every test on real parts
	@tests/install-tools postgresql nodejs npm promtool strace compiler curl chromium
	@if tests/install-tools --found compiler; then also=compile; fi; \
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target check $$also
	@if tests/install-tools --found compiler; then $(MAKE) --no-print-directory test-compiled; fi
	$(BIN)/python -m pytest $(PARALLEL)

test-compiled: $(COMPILED_READY) ## run the gateway's tests on its compiled modules
	PYTHONPATH=$(COMPILED) $(BIN)/python -m pytest $(PARALLEL) $(OF_THE_WAY)

unit: $(DEV_READY) $(PROTO_READY) ## run the tests that need nothing running
	$(BIN)/python -m pytest $(OF_UNITS) tests/unit

coverage: $(DEV_READY) $(PROTO_READY) ## branches that the unit tests reach; fails below the floor in pyproject.toml
	@mkdir -p build/coverage
	$(BIN)/python -m pytest $(OF_UNITS) --cov --cov-report=term --cov-report=html:build/coverage/html tests/unit

faults: $(DEV_READY) $(PROTO_READY) ## run the long fault runs too, with SEED=n as before; writes build/faults.md
	@tests/install-tools postgresql strace
	FAULTS_SEED=$(SEED) $(BIN)/python -m pytest -m "faults or long" tests/faults

hostile: $(DEV_READY) $(PROTO_READY) ## let a hostile tenant and strangers try; writes build/hostile.md
	$(BIN)/python -m pytest -m "long or not long" tests/hostile

routes: $(DEV_READY) $(PROTO_READY) ## change routes 3,000 times while callers call; prints what was called and what failed
	$(BIN)/python -m pytest -m long tests/e2e/test_route_changes.py

fuzz: $(DEV_READY) $(PROTO_READY) $(FUZZ_READY) ## fuzz both sides of HTTP/1.1 for SECONDS=60 with SEED=1; KEEP=1 keeps what was found for `make test`
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) $(if $(KEEP),--keep)

golden: $(DEV_READY) $(PROTO_READY) ## write the golden files anew; read what has changed in them
	$(BIN)/python -m pytest --quiet --rewrite-golden tests/integration/golden tests/unit/gateway/test_gateway_table.py
	$(BIN)/python -m tests.unit.gateway.test_gateway_whole_way

check: $(DEV_READY) $(PROTO_READY) ## lint, formatting, types, architecture, contracts, manifests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES) tests
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf format --diff --exit-code
	$(BIN)/python -m tests.contracts
	$(BIN)/python -m tests.manifests
	$(BIN)/python -m tests.documents --check
	$(BIN)/python libs/client/make_sync.py --check

sync: $(DEV_READY) ## make the synchronous half of the SDK from the asynchronous one
	$(BIN)/python libs/client/make_sync.py

reference: $(DEV_READY) $(PROTO_READY) ## write the reference pages that follow from the code
	$(BIN)/python -m tests.documents

format: $(DEV_READY) ## rewrite sources in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd proto && ../$(BIN)/buf format --write

screenshots: $(DEV_READY) $(PROTO_READY) ## write pictures of the pages for people into docs/images, by Chromium
	@tests/install-tools chromium
	$(BIN)/python -m tests.screenshots

contracts: $(DEV_READY) ## rewrite proto/contracts.json, unless proto/ breaks what running processes know
	$(BIN)/python -m tests.contracts --accept

audit: $(DEV_READY) ## ask the OSV database about known vulnerabilities of what the lock files name
	$(BIN)/python -m tests.audit

bench: $(DEV_READY) $(PROTO_READY) ## measure the gateway beside its peers, and BEFORE=another checkout; writes build/bench/gateway.json
	@tests/install-tools nginx wrk compiler
	@if tests/install-tools --found compiler; then $(MAKE) --no-print-directory compile; fi
	PYTHONPATH=$(COMPILED) $(BIN)/python -m tests.bench.gateway $(if $(BEFORE),--before $(BEFORE))

bench-targets: $(DEV_READY) $(PROTO_READY) ## measure latency, workers, refusals, memory, tokens, events, streams and starts; ARGS=--help for less
	@tests/install-tools nginx wrk compiler
	@if tests/install-tools --found compiler; then $(MAKE) --no-print-directory compile; fi
	PYTHONPATH=$(COMPILED) $(BIN)/python -m tests.bench.targets $(ARGS)

bench-identity: $(DEV_READY) $(PROTO_READY) ## measure tokens and sign-ins of identity on one core, beside the bare cost of their cryptography
	@tests/install-tools nginx
	$(BIN)/python -m tests.bench.targets tokens sign-ins $(ARGS)

bench-catalog: $(DEV_READY) $(PROTO_READY) ## measure the way of a change to the gateways beside the build before; ARGS=--help for less
	$(BIN)/python -m tests.bench.catalog $(ARGS)

bench-search: $(DEV_READY) $(PROTO_READY) ## measure finding among 10,000 services on both databases; ARGS=--help for less
	$(BIN)/python -m tests.bench.search $(ARGS)

lock: $(DEV_READY) ## resolve the dependencies again
	$(LOCK) $(MANIFESTS) --group pyproject.toml:build --output-file requirements.lock
	$(LOCK) --constraints requirements.lock --group pyproject.toml:dev --output-file requirements-dev.lock
	$(LOCK) --group pyproject.toml:fuzz --output-file requirements-fuzz.lock

clean: ## remove what was built; the state of runs under .lienthong stays
	rm -rf $(VENV) build proto/gen

$(VENV)/.created:
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Liên thông needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUN_READY): $(VENV)/.created requirements.lock $(MANIFESTS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@mkdir -p proto/gen/lienthong
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(addprefix --editable ./,$(COMPONENTS))
	@touch $@

$(DEV_READY): $(RUN_READY) requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@touch $@

$(FUZZ_READY): $(DEV_READY) requirements-fuzz.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement requirements-fuzz.lock
	@touch $@

$(COMPILED_READY): $(DEV_READY) $(PROTO_READY) gateway/compile.py $(shell find gateway/src -name '*.py')
	@rm -rf $(COMPILED)
	$(BIN)/python gateway/compile.py $(COMPILED)
	@touch $@

$(PROTO_READY): $(RUN_READY) $(PROTOS)
	@rm -rf proto/gen/lienthong && mkdir -p proto/gen/lienthong
	$(BIN)/python -m grpc_tools.protoc --proto_path=proto --python_out=proto/gen --grpc_python_out=proto/gen \
	  --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --mypy_out=quiet:proto/gen --mypy_grpc_out=quiet,only_async:proto/gen $(PROTOS)
	@touch $@
