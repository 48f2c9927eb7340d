# `make run` sets everything up and runs the product; `make test` sets everything up and runs every test.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3))
PORT ?= 8000
ENVIRONMENT = platform/deepmedix_review/config/environment.py

.PHONY: run test setup lint client bench lock

run:
	@$(PYTHON) -I $(ENVIRONMENT) --port $(PORT)
	@exec .venv/bin/python -m deepmedix_review.config.launcher --port $(PORT) $(if $(STUDIES),--studies "$(STUDIES)") $(if $(filter no,$(DEMO)),--no-demo)

test:
	@$(PYTHON) -I $(ENVIRONMENT) --tests
	.venv/bin/python -m pytest $(ARGS)

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

# Renew every pin in constraints.txt; torch is pinned in pyproject.toml and installed first.
lock: setup
	.venv/bin/python -m deepmedix_review.config.lock
