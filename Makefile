# Every target sets up what it needs on a fresh Debian or Ubuntu; see .ci/setup.
PYTHON := .venv/bin/python
READY := .venv/ready
ARGS ?=
# Whatever mirror this machine asks, the files name none.
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m piptools compile --quiet --upgrade --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-options

.PHONY: all help setup format lint types test demo lab bench fuzz docs boards lock clean
.DEFAULT_GOAL := all

all: format lint types test  ## format, lint, types, tests

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): setup.cfg pyproject.toml .ci/setup
	@.ci/setup

setup:  ## install Debian packages and .venv again
	@.ci/setup

format: $(READY)  ## rewrite the code the way ruff likes it
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix --exit-zero --quiet .

lint: $(READY)  ## ruff over everything
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

types: $(READY)  ## mypy --strict over the package
	@$(PYTHON) -m mypy

test: $(READY)  ## every test, side by side, for they mostly wait; ARGS="-k name" for some
	@$(PYTHON) -m pytest -n 4 --dist loadfile $(ARGS)

demo: $(READY)  ## a simulated fleet, Prometheus, Alertmanager and an inbox on this machine
	@.venv/bin/yardlight demo $(ARGS)

lab: $(READY)  ## real packets in network namespaces: measured against truth
	@$(PYTHON) -m tests.lab $(ARGS)
	@$(PYTHON) -m tests.lab.feeds_quarter
	@$(PYTHON) -m tests.quarter
	@$(PYTHON) -m tests.lab.cut_off || [ $$? -eq 2 ]

bench: $(READY)  ## costs as ratios against a peer in the same run
	@set -e; for bench in tests/benchmarks/bench_*.py; do $(PYTHON) $$bench; done

fuzz: $(READY)  ## new examples for every property, then feed every parser for a minute of CPU each
	@$(PYTHON) -m pytest -q -n 2 -m hypothesis --hypothesis-profile new
	@$(PYTHON) -m tests.fuzz $(ARGS)

docs: $(READY)  ## rewrite the generated tables
	@$(PYTHON) -m yardlight.docs exporters/README.md

boards: $(READY)  ## build dashboards/*.json
	@$(PYTHON) -m dashboards.build

lock: $(READY)  ## pin what the image is made of: docker/requirements*.txt, with hashes
	@$(LOCK) --output-file docker/requirements.txt setup.cfg
	@$(LOCK) --extra s3 --extra sql --output-file docker/requirements-all.txt setup.cfg
	@echo setuptools | $(LOCK) --output-file docker/requirements-build.txt -

clean:  ## remove .venv, caches and the demo's files
	@rm -rf .venv .demo .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
