# One verb per need. `make run` and `make test` are all a newcomer wants; both set up first.
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
UV := $(shell command -v uv || echo $(VENV)/bin/uv)

# Development settings: what `make` starts here is for this machine alone. Production sets its own (docs/operations.md).
run demo test check schema: export DEBUG ?= 1

.PHONY: setup run test check demo lock schema clean
.DEFAULT_GOAL := run

setup: $(STAMP)  ## install everything into .venv

$(STAMP): requirements-uv.txt requirements-dev.txt
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	command -v uv >/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(UV) pip sync --quiet --require-hashes --python $(PY) requirements-dev.txt $$(command -v uv >/dev/null || echo requirements-uv.txt)
	touch $@

run: $(STAMP)  ## set up, migrate, seed when empty, make an administrator when there is none, serve
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py seed --if-empty
	@$(PY) manage.py first_administrator
	@$(PY) manage.py runserver 127.0.0.1:$(PORT)
