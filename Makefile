# `make` alone lists the targets. Needs GNU make 3.81 or later, and Python 3.11 or later.

VENV := .venv
PYTHON_IN_VENV := $(VENV)/bin/python
OBSERVE := $(VENV)/bin/autogpt-observe
READY := $(VENV)/.ready

# Where `.ci/tools` puts the programs when it may not install them into the system.
AUTOGPT_OBSERVE_TOOLS ?= $(CURDIR)/.tools
export AUTOGPT_OBSERVE_TOOLS

SOAK_SECONDS ?= 600

# $(call step,WHAT,COMMAND): says what runs, and what stopped the run when it fails.
step = @printf '== %s\n' '$(1)' && { $(2) || { printf '== stopped at: %s\n' '$(1)' >&2; exit 1; }; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types drift unit soak bundle bench format wheel install tools clean distclean

help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) tools ## an agent on a real Prometheus and Alertmanager: a fault is made, the alert arrives
	@$(OBSERVE) demo

test: $(READY) tools ## everything that must be green: lint, types, drift, unit
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory drift
	@$(MAKE) --no-print-directory unit

lint: $(READY) ## ruff: the rules and the format
	$(call step,ruff check,$(PYTHON_IN_VENV) -m ruff check)
	$(call step,ruff format --check,$(PYTHON_IN_VENV) -m ruff format --check)

types: $(READY) ## mypy in strict mode
	$(call step,mypy,$(PYTHON_IN_VENV) -m mypy)

drift: $(READY) ## the committed bundle is what the packaged spec generates
	$(call step,autogpt-observe generate --check,$(OBSERVE) generate --check)

unit: $(READY) tools ## pytest on every core
	$(call step,pytest,$(PYTHON_IN_VENV) -m pytest -n logical)

soak: $(READY) ## agents at work for ten minutes, all of it observed: nothing is lost, torn or kept
	$(call step,pytest tests/soak,AUTOGPT_OBSERVE_SOAK_SECONDS=$(SOAK_SECONDS) $(PYTHON_IN_VENV) -m pytest -s tests/soak)

bundle: $(READY) ## write the bundle of the packaged spec into this folder again
	@$(OBSERVE) generate

bench: $(READY) ## measure everything beside its peers, and write docs/benchmarks.md
	@$(PYTHON_IN_VENV) benchmarks/peers.py
	@$(PYTHON_IN_VENV) benchmarks/run.py

format: $(READY) ## let ruff mend and format the code
	@$(PYTHON_IN_VENV) -m ruff check --fix
	@$(PYTHON_IN_VENV) -m ruff format

wheel: $(READY) ## build the wheel into dist/
	@$(PYTHON_IN_VENV) -m build --wheel

install: $(READY) ## make .venv with the package and the development tools

tools: ## install what is missing of Prometheus, promtool, Alertmanager and amtool
	@sh .ci/tools

$(READY): pyproject.toml .ci/venv
	@sh .ci/venv $(VENV)
	@touch $(READY)

clean: ## remove caches and what was built
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .venv, .bench-venv and .tools as well
	rm -rf $(VENV) .bench-venv .tools
