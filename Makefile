# `make run` starts a server, `make test` runs every test. Needs make and Python 3.11 or newer, nothing else.
# Settings in the environment reach the server: YANLU_DATA=/srv/yanlu make run

BIN := .venv/bin
LOCKS := pyproject.toml requirements-build.lock
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install

.PHONY: run demo setup test check lock

run: .venv/runtime
	@$(BIN)/yanlu serve

demo: .venv/runtime
	@$(BIN)/yanlu demo

setup: .venv/runtime

test: .venv/dev .venv/browser
	$(BIN)/pytest --numprocesses auto --dist loadfile

check: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Versions and digests of everything, without addresses. Needs uv.
lock:
	uv pip compile $(UV) pyproject.toml --output-file requirements.lock
	uv pip compile $(UV) pyproject.toml --all-extras --group dev --constraint requirements.lock --output-file requirements-dev.lock
	echo 'setuptools>=77' | uv pip compile $(UV) - --output-file requirements-build.lock
UV := --quiet --upgrade --universal --generate-hashes --no-header --no-annotate

.venv/runtime: requirements.lock $(LOCKS)
	@tools/environment
	@echo 'Installing what Yanlu needs...'
	@$(PIP) --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	@echo 'Installing what its tests need...'
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

.venv/browser: .venv/dev
	@tools/browser
	@touch $@
