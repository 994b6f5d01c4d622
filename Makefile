# SPDX-License-Identifier: Apache-2.0
# Everything that people and CI run. `make` alone lists it.
.POSIX:
.NOTPARALLEL:
.SUFFIXES:
.DEFAULT_GOAL := help
# make -k check goes on after the first of them that fails.
.PHONY: check-style check-types check-imports check-spelling check-docs
.PHONY: help demo test check format bench soak docs lock setup setup-demo clean

VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# --require-hashes: what is installed is what was reviewed. No cache is needed, none is refused.
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input
ROOTS  := src tests tools $(foreach folder,bench examples,$(if $(wildcard $(folder)/*.py),$(folder)))

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' $(MAKEFILE_LIST) | expand -t 18

demo: setup-demo ## mint, plug in, and see the first message arrive (EXIT=1: end by itself)
	$(BIN)/homeport demo $(if $(EXIT),--exit)

test: setup check ## everything a submission needs (PYTEST_ARGS="-k nonce" narrows the tests)
	$(BIN)/python -m tools.suites $(PYTEST_ARGS)

check: check-style check-types check-imports check-spelling check-docs ## style, types, import rule, spelling, generated pages

check-style: $(STAMPS)/project-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types: $(STAMPS)/project-dev
	$(BIN)/mypy $(ROOTS)

check-imports: $(STAMPS)/project-dev
	$(BIN)/lint-imports --no-logo

check-spelling: $(STAMPS)/project-dev
	$(BIN)/codespell

check-docs: $(STAMPS)/project-dev
	$(BIN)/python -m tools.reference --check

format: $(STAMPS)/project-dev ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(STAMPS)/project-dev ## one benchmark: NAME=enrol [QUICK=1]; result in bench/out/NAME.json
	@test -n "$(NAME)" || { echo "NAME= one of:" $(basename $(notdir $(wildcard bench/[a-z]*.py))); exit 2; }
	$(BIN)/python -m bench.$(NAME) $(if $(QUICK),--quick)

soak: setup ## the long forms: hours of fuzzing, hundreds of kills
	FUZZ_RUNS=$${FUZZ_RUNS:-2000000} $(BIN)/python -m tools.suites --soak $(PYTEST_ARGS)

docs: $(STAMPS)/project-dev ## write docs/reference from the code
	$(BIN)/python -m tools.reference

lock: $(STAMPS)/project-dev ## requirements/*.lock from pyproject.toml (UPGRADE=1: newest versions)
	tools/lock $(if $(UPGRADE),--upgrade)

clean: ## remove what make has made
	rm -rf $(VENV) tests/conformance/oidc/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist

# --- set-up: each stamp is made once, and again when what it was made from changes -----------------

setup: $(STAMPS)/debian $(STAMPS)/project-dev $(STAMPS)/oidc

setup-demo: $(STAMPS)/debian-demo $(STAMPS)/project-run

$(BIN)/python:
	tools/make-venv $(VENV)

# An environment for development serves the demo too, and is not torn down to the smaller list.
$(STAMPS)/project-run: requirements/run.lock pyproject.toml | $(BIN)/python
	@mkdir -p $(STAMPS)
	$(PIP) install --quiet --require-hashes -r requirements/run.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(STAMPS)/project-dev: requirements/dev.lock pyproject.toml | $(BIN)/python
	@mkdir -p $(STAMPS)
	$(PIP) install --quiet --require-hashes -r requirements/dev.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(STAMPS)/project-run

# A real OpenID provider for the tests, run by the node that came with requirements/dev.lock, which
# by itself does not know the roots that this machine trusts.
$(STAMPS)/oidc: tests/conformance/oidc/package-lock.json $(STAMPS)/project-dev
	cd tests/conformance/oidc && PATH="$(CURDIR)/$(BIN):$$PATH" \
	  NODE_OPTIONS=--use-system-ca npm ci --silent --no-update-notifier
	@touch $@

$(STAMPS)/debian: requirements/debian.txt | $(BIN)/python
	@mkdir -p $(STAMPS)
	tools/install-debian requirements/debian.txt
	@touch $@

$(STAMPS)/debian-demo: requirements/debian-demo.txt | $(BIN)/python
	@mkdir -p $(STAMPS)
	tools/install-debian requirements/debian-demo.txt
	@touch $@
