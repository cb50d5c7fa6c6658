# What a person does with this repository, one target each. `make` alone lists them.

PYTHON ?= python3
PORT ?= 5006
# On Linux, pip's own choice of torch brings CUDA; TORCH=cpu takes the one without, from PyTorch.
TORCH ?=

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

# A stamp is younger than what was installed from; when either file changes, the next run installs.
PINS := pyproject.toml constraints.txt
HAS_APP := $(VENV)/.has-app
HAS_TESTS := $(VENV)/.has-tests
HAS_NOTEBOOKS := $(VENV)/.has-notebooks
HAS_DOCS := $(VENV)/.has-docs

.PHONY: help app notebooks docs test check soak mutants lint format data model posteriors tables picture \
	clean browsers

help: ## List the targets
	@echo "Usage: make TARGET [PYTHON=python3.12] [PORT=5006] [TORCH=cpu]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

app: $(HAS_APP) ## Install the app in .venv and serve it at http://localhost:5006/app
	@echo "Serving at http://localhost:$(PORT)/app (Ctrl-C stops)"
	@exec $(BIN)/python -m panel serve app.py --warm --address localhost --port $(PORT) \
		--plugins sspexplorer.app.serving.tables \
		--allow-websocket-origin localhost:$(PORT) --allow-websocket-origin 127.0.0.1:$(PORT)

notebooks: $(HAS_NOTEBOOKS) ## Install JupyterLab in .venv and open the workshop's notebooks
	@cd notebooks && exec ../$(BIN)/python -m jupyterlab

docs: export OMP_NUM_THREADS = 1
docs: $(HAS_DOCS) ## Build the documentation in build/docs, to be read without a network
	@echo "Building; notebooks are run first if they or the package have changed, some six minutes"
	@$(BIN)/python -m sphinx -q -W --keep-going -d .cache/doctrees docs build/docs
	@echo "Open build/docs/index.html"

# The browser waits for the server most of the time: the other tests run beside it. Each has one
# thread, so that threads of one do not spin while they wait for a core that another has.
test check: export OMP_NUM_THREADS = 1
test: lint browsers ## Install what the tests need, then run ruff and all tests
	@log=$$(mktemp); \
	$(BIN)/python -m pytest -m "not browser" >$$log 2>&1 & others=$$!; \
	trap "kill $$others 2>/dev/null; rm -f $$log" EXIT; \
	echo "Tests in the browser; all others run beside them and are told of afterwards"; \
	$(BIN)/python -m pytest -m browser; browser=$$?; \
	wait $$others; others=$$?; \
	cat $$log; exit $$(( browser || others ))

check: $(HAS_TESTS) lint ## Run ruff and all tests but those in a browser, for people at work
	@$(BIN)/python -m pytest -m "not browser" -q -n 2 --dist loadfile

soak: $(HAS_TESTS) ## Have visitors and mutated files at a server for two minutes
	@$(BIN)/python -m pytest -m soak

mutants: $(HAS_TESTS) ## Change the code a little, many times, and see whether the tests notice
	@$(BIN)/python -m pip install -q -c constraints.txt mutmut==3.8.1
	@$(BIN)/python scripts/mutants.py

# Scripts are not annotated as the package is: what is asked of them is that what they call is there.
NOT_OF_SCRIPTS := arg-type assignment index misc operator return-value type-var union-attr var-annotated

lint: $(HAS_TESTS) ## Check format, style and types
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/mypy benchmarks scripts $(addprefix --disable-error-code ,$(NOT_OF_SCRIPTS))

format: $(HAS_TESTS) ## Put format and style right
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

data: $(HAS_APP) ## Make data/ again from the packages it comes from
	@$(BIN)/python scripts/make_data.py --packages .cache
	@$(BIN)/python scripts/make_examples.py --packages .cache
	@$(BIN)/python scripts/make_stars.py --packages .cache
	@$(BIN)/python scripts/make_differences.py
	@$(BIN)/python scripts/make_unit_seds.py

model: $(HAS_APP) ## Train the default model again and refresh its table in docs/models.md
	@$(BIN)/python scripts/train_default.py
	@$(BIN)/python scripts/update_docs.py

posteriors: $(HAS_APP) ## Train the posterior models again and test them, two hours
	@for name in ssp galaxy; do $(BIN)/python scripts/train_posterior.py $$name || exit 1; done
	@$(BIN)/python scripts/make_priors.py
	@for name in ssp galaxy; do $(BIN)/python scripts/validate_posterior.py $$name || exit 1; done
	@$(BIN)/python scripts/update_docs.py

tables: $(HAS_APP) ## Refresh the tables of docs/models.md
	@$(BIN)/python scripts/update_docs.py

picture: $(HAS_TESTS) browsers ## Take the picture of the app that the README shows
	@$(BIN)/python scripts/make_picture.py

clean: ## Remove .venv, caches and builds
	@rm -rf $(VENV) build dist docs/notebooks .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Of what is fetched torch is half, or nine tenths when it brings CUDA.
SIZE := 450 MB to fetch, or 3 GB where torch brings CUDA (TORCH=cpu is smaller, see docs/install.md)

# Torch alone takes minutes on a slow line: name the big files as they come; the log has the rest.
PIP_LOG := $(VENV)/pip.log
PIP_INSTALL := set -o pipefail; $(BIN)/python -m pip install --progress-bar off --no-compile \
	-c constraints.txt
# pip compiles with one core, tests of others' packages included; some of their files never compile.
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '/tests?/' $(VENV)/lib >/dev/null 2>&1 || true
ifeq ($(TORCH),cpu)
PIP_INSTALL += --extra-index-url https://download.pytorch.org/whl/cpu
else ifneq ($(TORCH),)
$(error TORCH can only be cpu, or empty for the torch that pip chooses)
endif
define SHOW_BIG_STEPS
2>&1 | tee $(PIP_LOG) | while read -r verb what size unit; do \
	case "$$verb $$what $$unit" in \
		Downloading*MB\)) file=$${what##*/}; version=$${file#*-}; \
			[[ $$size =~ [0-9]{2}\. ]] && echo "  $${file%%-*} $${version%%-*} $$size $$unit" ;; \
		"Installing collected "*) echo "  unpacking" ;; \
		ERROR:*) echo "$$verb $$what $$size $$unit" >&2 ;; \
	esac; \
	true; \
done || { echo "pip did not finish; $(PIP_LOG) has all it said." >&2; exit 1; }
endef

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || \
		{ echo "Python not found: no command $(PYTHON). Try: make PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed, and $(PYTHON) is not. Try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" -V)"
	@rm -rf $(VENV)
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment (Debian: apt install python3-venv)." >&2; exit 1; }

$(HAS_APP): $(PINS) | $(BIN)/python
	@echo "Installing the app: $(SIZE), a few minutes the first time"
	@$(PIP_INSTALL) -e . $(SHOW_BIG_STEPS)
	@$(COMPILE)
	@touch $@

$(HAS_TESTS): $(PINS) | $(BIN)/python
	@echo "Installing the app and its tests: $(SIZE), a few minutes the first time"
	@$(PIP_INSTALL) -e '.[survey,docs,test,dev]' $(SHOW_BIG_STEPS)
	@$(COMPILE)
	@touch $(HAS_APP) $@

$(HAS_DOCS): $(PINS) | $(BIN)/python
	@echo "Installing the app and what builds its documentation: $(SIZE), a few minutes the first time"
	@$(PIP_INSTALL) -e '.[docs]' $(SHOW_BIG_STEPS)
	@$(COMPILE)
	@touch $(HAS_APP) $@

$(HAS_NOTEBOOKS): $(PINS) | $(BIN)/python
	@echo "Installing the app and JupyterLab: $(SIZE), a few minutes the first time"
	@$(PIP_INSTALL) -e '.[notebooks]' $(SHOW_BIG_STEPS)
	@$(COMPILE)
	@touch $(HAS_APP) $@

browsers:
	@wanted=""; \
	command -v chromium chromium-browser google-chrome >/dev/null || wanted="chromium"; \
	command -v firefox-esr firefox >/dev/null || wanted="$$wanted firefox-esr"; \
	[ -n "$$wanted" ] || exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "Not here: $$wanted, and only root on Debian can fetch it: its tests will be skipped."; \
	else \
		echo "Installing Debian's $$wanted for the browser tests"; \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$wanted >/dev/null || \
			{ echo "apt-get could not install $$wanted; do so by hand and run again." >&2; exit 1; }; \
	fi
