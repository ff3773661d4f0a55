# Everything a person or a machine does with a clone. It needs Python 3.11 or later, make, and the package index that
# pip is set up for; whatever is installed goes into .venv, and each package must have the hash of its lock file.

PYTHON ?= python3
BIN    := .venv/bin
DEMO   := .venv/.installed-demo
DEV    := .venv/.installed-dev
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps

.DEFAULT_GOAL := help
.PHONY: help setup run scheduler worker test check format bench golden picture lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(DEV)  ## install everything for working on ila into .venv

run: $(DEMO)  ## start the demonstration on http://127.0.0.1:8000; Ctrl-C stops everything
	@$(BIN)/ila serve --demo

scheduler: $(DEMO)  ## start a further scheduler beside a running `make run`
	@$(BIN)/ila scheduler

worker: $(DEMO)  ## start a further worker beside a running `make run`
	@$(BIN)/ila worker

test: $(DEV)  ## run the whole test suite
	$(BIN)/python -m pytest -n 2 $(PYTEST_OPTIONS)

check: $(DEV)  ## format, lint, types, import contracts, migrations, generated files
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/ila db check --temporary
	$(BIN)/python -m pytest -q -p no:randomly tests/guards

format: $(DEV)  ## put all Python files into the one format
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .

bench: $(DEV)  ## measure the speeds; a table, and build/bench.json
	$(BIN)/python -m tests.bench

golden: $(DEV)  ## write the generated files anew: settings, schemes, OpenAPI
	$(BIN)/python -m tests.golden

picture: $(DEV)  ## draw docs/terminal.svg anew, by acting on a running demonstration
	$(BIN)/python docs/terminal_picture.py

lock: $(DEV)  ## resolve pyproject.toml into the four lock files, with hashes and without the index they came from
	$(UV) pyproject.toml --extra embedded -o requirements.lock
	$(UV) pyproject.toml --extra embedded --extra demo -c requirements.lock -o requirements-demo.lock
	$(UV) pyproject.toml --extra embedded --extra demo --group test -c requirements-demo.lock -o requirements-test.lock
	$(UV) pyproject.toml --extra embedded --extra demo --group test --group dev -c requirements-test.lock -o requirements-dev.lock
UV := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url

clean:  ## remove what can be made again; .data, with the database, stays
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find . -name __pycache__ -not -path './.data/*' -prune -exec rm -rf {} +

# The launcher and the path file make `ila` and `python -m ila` work from any directory, without a build tool.
$(BIN)/ila:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "ila needs Python 3.11 or later; name one, as in: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "making .venv"; $(PYTHON) -m venv .venv; }
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "ila.pth").write_text(f"{pathlib.Path.cwd()}\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m ila "$$@"\n' > $@
	@chmod +x $@

$(DEMO): requirements-demo.lock | $(BIN)/ila
	@echo "installing what a running ila needs (the first time takes a minute)"
	@$(PIP) -r requirements-demo.lock
	@touch $@

$(DEV): requirements-dev.lock | $(BIN)/ila
	@echo "installing what working on ila needs (the first time takes a minute or two)"
	@$(PIP) -r requirements-dev.lock
	@touch $(DEMO) $@
