# make demo   a pumping station and its twin, in a browser, from nothing
# make test   everything the tests need, then the tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
PAGE   := $(shell find web/src web/index.html web/package.json web/vite.config.ts web/build_page.py 2>/dev/null)
DEBIAN := mosquitto mosquitto-clients chromium
FMUS   := gemseo-fmu==3.1.1
PEERS  := mosquitto mosquitto_sub chromium

# These run whole families of processes, and measure time: one after another, so that they do not measure each other.
ALONE  := contract fault story browser

.PHONY: demo test check peers clean bench

demo: $(VENV)/.base
	@$(BIN)/gemel demo $(ARGS)

test: $(VENV)/.tools $(VENV)/.fmus peers check
	$(BIN)/python -m pytest -n 2 $(addprefix --ignore=tests/,$(ALONE)) $(ARGS)
	$(BIN)/python -m pytest $(addprefix tests/,$(ALONE)) $(ARGS)

check: $(VENV)/.tools
	$(BIN)/ruff check src
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.base
	$(BIN)/gemel bench ingest

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gemel needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "this Python has no venv: apt-get install python3-venv"; exit 1; }

$(VENV)/.base: $(BIN)/python pyproject.toml $(PAGE)
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.tools: $(BIN)/python pyproject.toml $(PAGE)
	$(PIP) install --quiet --editable '.[test]'
	@touch $@ $(VENV)/.base

# FMUs that another tool (OpenModelica) exported, as test data: their package asks for an older FMPy, so it lies apart and nothing of it is imported.
$(VENV)/.fmus: $(BIN)/python Makefile
	@$(PIP) install --quiet --no-deps --upgrade --target $(VENV)/fmus $(FMUS) && touch $@ || echo "could not get $(FMUS): the test over foreign FMUs skips"

# Foreign peers that the tests speak to: a broker and a browser that are not ours.
peers:
	@missing=; for p in $(PEERS); do PATH=$$PATH:/usr/sbin command -v $$p >/dev/null || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; \
	else echo "not here, and this user may not install:$$missing. The tests that need them skip; as root: apt-get install $(DEBIAN)"; exit 0; fi; \
	echo "installing:$$missing"; $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $(DEBIAN) >/dev/null \
	|| echo "could not install $(DEBIAN); the tests that need them skip"

clean:
	rm -rf $(VENV) dist build src/gemel/serve/page web/node_modules
