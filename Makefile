# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-scale lint web web-check e2e bench clean

$(VENV)/.user: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

$(VENV)/.scale: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev-scale]'
	touch $@

demo: $(VENV)/.user
	$(BIN)/lookalike demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# Ray clusters, Milvus servers and Kubernetes manifests: what a collection outgrows its machine with.
# The contract of stores runs on each of ENGINES; on a real Milvus server it takes 8 minutes.
ENGINES ?= milvus-lite milvus
test-scale: $(VENV)/.scale
	$(BIN)/python -m pytest tests/scale --ignore-glob='*milvus*'
	$(BIN)/python -m pytest tests/scale/test_*milvus*.py
	set -e; for engine in $(ENGINES); do LOOKALIKE_TEST_ENGINES=$$engine $(BIN)/python -m pytest tests/contract/test_store*.py; done

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	touch $@

# The web page's build is committed inside the package, so that users need no Node.
web: web/node_modules/.installed
	cd web && npm run build

web-check: web/node_modules/.installed
	cd web && npm run check && npm run build
	@test -z "$$(git status --porcelain -- src/lookalike/service/page)" || { git status --short -- src/lookalike/service/page; \
	    echo "the committed page is not what web/ builds: run make web and commit it"; exit 1; }

# Every page's main actions in a real browser against a real server.
e2e: web/node_modules/.installed $(VENV)/.dev
	cd web && npm run e2e

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) build dist demo web/node_modules
