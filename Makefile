# `make run` sets everything up and runs the product; `make test` sets everything up and runs every test.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3))
PORT ?= 8000
ENVIRONMENT = platform/deepmedix_review/config/environment.py

.PHONY: demo-loop run test test-first-half test-second-half setup lint client bench lock

run:
	@$(PYTHON) -I $(ENVIRONMENT) --port $(PORT)
	@exec .venv/bin/python -m deepmedix_review.config.launcher --port $(PORT) $(if $(STUDIES),--studies "$(STUDIES)") $(if $(filter no,$(DEMO)),--no-demo)

# The whole loop with SIMULATED readers, in a home of its own; a stopped run goes on. It ends by itself.
SEED ?= 1
ROUNDS ?= 2
READINGS ?= 300
KINDS ?= all
DRAWN ?= 3
# A JSON file that stands in for the recipe of the kind.
RECIPE ?=
demo-loop: export DEEPMEDIX_HOME := $(or $(DEEPMEDIX_HOME),$(CURDIR)/var/demo-loop)
demo-loop:
	@$(PYTHON) -I $(ENVIRONMENT)
	@exec .venv/bin/python -m deepmedix_review.config.launcher --port $(PORT) --no-demo --then run_simulated_loop --seed $(SEED) --rounds $(ROUNDS) --readings $(READINGS) --kinds $(KINDS) --drawn $(DRAWN) $(if $(RECIPE),--recipe "$(abspath $(RECIPE))")

# Whole, it runs as two halves at once, one for each of two cores, which share neither servers nor state. What the
# second half said stands below what the first one said. What is not among these is in the first half: of the
# library's, what starts a cluster or an environment of its own, so that the halves take as long as each other.
SECOND_HALF = $(filter-out %/engines %/bundle %/__pycache__ %_examples.py,$(wildcard tests/rl_feedback/*)) tests/journey
test:
	@$(PYTHON) -I $(ENVIRONMENT) --tests
	$(if $(ARGS),.venv/bin/python -m pytest $(ARGS),@$(MAKE) --no-print-directory --keep-going -j2 test-first-half test-second-half)

test-first-half:
	.venv/bin/python -m pytest $(SECOND_HALF:%=--ignore=%)

test-second-half:
	@mkdir -p var; DEEPMEDIX_HOME=$(CURDIR)/var/test-second .venv/bin/python -m pytest $(SECOND_HALF) \
	> var/second-half.log 2>&1; status=$$?; cat var/second-half.log; exit $$status

setup:
	@$(PYTHON) -I $(ENVIRONMENT)

# Lint, types and import contracts, as .ci/run does.
lint: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

# The API's schema and the TypeScript client made from it.
client: setup
	.venv/bin/python manage.py spectacular --format openapi-json --validate --file frontend/openapi.json
	cd frontend && npm run --silent generate

bench: setup
	.venv/bin/python -m benchmarks --all

# Renew every pin in constraints.txt; torch is pinned in pyproject.toml and installed first. `make lock KEEP=yes`
# adds the pins of what pyproject.toml newly asks for, and leaves the others.
lock: setup
	.venv/bin/python -m deepmedix_review.config.lock $(if $(KEEP),--keep)
