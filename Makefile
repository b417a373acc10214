# One verb per need. `make run` and `make test` are all a newcomer wants; both set up first.
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
UV := $(shell command -v uv || echo $(VENV)/bin/uv)

# Development settings: what `make` starts here is for this machine alone. Production sets its own (docs/operations.md).
run demo test test-slow test-all check schema document: export DEBUG ?= 1

# A container's image may set it. The tests start hundreds of processes, and each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test test-slow test-all check container audit sbom schema document demo lock clean
.DEFAULT_GOAL := run

setup: $(STAMP)  ## install everything into .venv

$(STAMP): requirements-uv.txt requirements-dev.txt
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	command -v uv >/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(UV) pip sync --quiet --require-hashes --python $(PY) requirements-dev.txt $$(command -v uv >/dev/null || echo requirements-uv.txt)
	touch $@

run: $(STAMP)  ## set up, migrate, seed when empty, make an administrator when there is none, serve
	@$(PY) manage.py run 127.0.0.1:$(PORT)

# Slow tests come first (tests/conftest.py), and each process is given one at a time, or a group that shares servers:
# none ends long after the others.
WORKERS ?= auto
PYTEST := -m pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder
# What SQLite answers is left here for the tests on PostgreSQL to compare with.
test test-slow test-all: export TEST_ANSWERS := $(CURDIR)/var/answers

# Tests that ask nothing of a database, or look at pages: once is enough (tests/conftest.py).
ONCE := drift browser

# Options for both databases, and rooms to leave out on PostgreSQL.
define on_both_databases
rm -rf $(TEST_ANSWERS)
$(PY) $(PYTEST) $(1) $(ARGS)
$(PY) -m tests.support.postgres $(PY) $(PYTEST) $(1) $(addprefix --ignore=tests/,$(ONCE) $(2)) $(ARGS)
endef

# What these do with a database, they do through other rooms. `make test-all` runs them on PostgreSQL, too.
FACES := admin api pages system

test: $(STAMP)  ## run the quick tests on SQLite, then on PostgreSQL (if the machine has it) those of most rooms
	$(call on_both_databases,-m "not slow",$(FACES))

test-slow: $(STAMP)  ## run the tests that `make test` leaves out, on both databases
	$(call on_both_databases,-m slow)

test-all: $(STAMP)  ## run all tests, on both databases: faster than the two parts one after the other
	$(call on_both_databases)

check: $(STAMP)  ## linters, types, migrations, deployment checks, OpenAPI and the document in step
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(PY) manage.py makemigrations --check --dry-run
	DEBUG=0 SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))') ALLOWED_HOSTS=registry.example \
		$(PY) manage.py check --deploy --fail-level WARNING
	$(PY) manage.py spectacular --validate --fail-on-warn | diff docs/openapi.yaml -
	$(PY) -m tests.support.advisories
	$(PY) manage.py export_map --fixture fixtures/ownership.yaml | diff docs/table-ownership-map.md -

container: $(STAMP)  ## build the image and run docker-compose.yml's services, without an engine: on Debian, as root, ten minutes
	$(PY) -m tests.support.container

audit: $(STAMP)  ## known vulnerabilities among the dependencies; says so where no advisory source can be reached
	$(PY) -m tests.support.advisories

sbom: $(STAMP)  ## a software bill of materials of what production runs: CycloneDX, in sbom.json
	$(VENV)/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.json

schema: $(STAMP)  ## write docs/openapi.yaml again
	$(PY) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

document: $(STAMP)  ## write docs/table-ownership-map.md again
	$(PY) manage.py export_map --fixture fixtures/ownership.yaml > docs/table-ownership-map.md

demo: $(STAMP)  ## add some invented edits by invented users, so that history pages have something to show
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py seed --if-empty
	@$(PY) manage.py demo

lock: $(STAMP)  ## lock the dependencies again; the files name no host
	$(VENV)/bin/uv pip compile --universal --generate-hashes -p 3.11 --no-header -q pyproject.toml --extra xlsx -o requirements.txt
	$(VENV)/bin/uv pip compile --universal --generate-hashes -p 3.11 --no-header -q pyproject.toml --extra xlsx --extra oidc -o requirements-oidc.txt
	$(VENV)/bin/uv pip compile --universal --generate-hashes -p 3.11 --no-header -q pyproject.toml --group dev -o requirements-dev.txt
	$(VENV)/bin/uv pip compile --universal --generate-hashes -p 3.11 --no-header -q --no-annotate --group drift -c requirements-dev.txt -o deploy/drift/requirements.txt

clean:  ## remove what set-up and runs made, the SQLite database included
	rm -rf $(VENV) var staticfiles
