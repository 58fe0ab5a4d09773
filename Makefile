# The course's commands. `make lab` and `make test` do all that they need on a fresh machine, without root and
# without conda; a second run begins at once. Everything made here is in .venv, Kubernetes' programs are in the cache
# that `k8s-lab doctor` names.
#
#   make PYTHON=/path/to/python3.12   another Python than the first one found
#   make VENV=/path/to/folder         another place for the environment

SHELL := /bin/sh
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOTS := $(BIN)/python tests/lots.py

PYTHONS := python3.13 python3.12 python3.14 python3.11 python3 python
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && echo $$python && break; done)

# JupyterLab asks at its first start whether to fetch news from the internet: nothing that a course needs.
JUPYTER_NEWS := @jupyterlab/apputils-extension:announcements

NOTEBOOKS := $(sort $(wildcard notebooks/[0-9]*.ipynb))

.PHONY: help env lab test check test-unit test-cluster test-exercises test-browser test-embedded test-notebooks test-prefix test-kind mutants bench bench-peers conformance images lint notebooks docs site clean

help:
	@echo 'make lab        tout préparer (environnement, programmes, cluster), puis ouvrir JupyterLab'
	@echo 'make check      en trois minutes : style, types, tests purs, un test sur un cluster, un notebook'
	@echo 'make test       tout préparer, puis lancer tous les tests'
	@echo 'make env        environnement et programmes de Kubernetes, rien d’autre'
	@echo 'make test-embedded, make test-notebooks, make test-prefix, make test-kind, make test-browser'
	@echo '                une partie des tests ; pour kind il faut Docker ou Podman, et kind'
	@echo 'make bench      le tableau des mesures'
	@echo 'make bench-peers BASELINE=RÉVISION'
	@echo '                à côté d’une autre révision, de kwokctl et de kind (une demi-heure)'
	@echo 'make conformance'
	@echo '                la suite de tests de Kubernetes sur embarqué, et docs/conformance.md (une demi-heure)'
	@echo 'make images     des images faites de paquets Debian (nginx, mariadb, wordpress…), sans Docker'
	@echo 'make mutants MODULE=… TESTS=…'
	@echo '                ce qui peut changer dans un module sans qu’un test le voie'
	@echo 'make notebooks  exécuter les notebooks et garder leurs sorties'
	@echo 'make lint       style, types, sens des imports'
	@echo 'make docs       réécrire les pages produites par le code (docs/fidelite.md, docs/glossaire.md)'
	@echo 'make site       le cours en pages web, dans build/site (sans rien exécuter)'
	@echo 'make clean      effacer l’environnement (ni les clusters, ni le cache)'

# venv needs ensurepip, which some distributions package apart: virtualenv, beside it, needs only pip.
$(READY): pyproject.toml embedded/pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo 'Chercher Python 3.11 ou plus récent' >&2; \
		echo '  Constaté : aucun de « $(PYTHONS) » ne convient' >&2; \
		echo '  À faire : installez python3 (sans droits : conda, uv ou pyenv), puis « make PYTHON=… »' >&2; exit 3; }
	@test -x $(BIN)/pip || { echo 'Environnement Python dans $(VENV)…'; rm -rf $(VENV); \
		$(PYTHON) -m venv $(VENV) > /dev/null 2>&1; } || { rm -rf $(VENV) $(VENV)-bootstrap; \
		$(PYTHON) -m pip install --quiet --target $(VENV)-bootstrap virtualenv && \
		PYTHONPATH=$(VENV)-bootstrap $(PYTHON) -m virtualenv --quiet $(VENV) && rm -rf $(VENV)-bootstrap; } || { \
		rm -rf $(VENV) $(VENV)-bootstrap; \
		echo 'Créer l’environnement Python $(VENV) avec « $(PYTHON) »' >&2; \
		echo '  Constaté : ni le module « venv » (avec « ensurepip ») ni « pip » ne marchent ici' >&2; \
		echo '  À faire : « apt install python3-venv » (Debian, Ubuntu), ou conda : voir environment.yml' >&2; exit 3; }
	@echo 'Paquets Python (une à trois minutes la première fois)…'
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable ./embedded --editable '.[test]'
	@$(BIN)/jupyter labextension disable --level=sys_prefix '$(JUPYTER_NEWS)' > /dev/null 2>&1
	@touch $@

env: $(READY)
	@$(BIN)/k8s-lab fetch

lab: env
	@exec $(BIN)/k8s-lab lab

# All lots in parts, as many at a time as the machine has room for; what measures time alone at the end: tests/lots.py.
test: env $(VENV)/.browser
	$(LOTS)

# Before each commit, in three minutes: style, types, everything that needs no cluster, then a real cluster and a notebook.
check: env
	$(LOTS) check

test-unit test-exercises test-notebooks test-prefix: test-%: env
	$(LOTS) $*

test-cluster: env
	$(LOTS) kind cluster quiet

# What drives the browser is 165 MB that no student needs: it is installed here.
$(VENV)/.browser: $(READY)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable ./embedded --editable '.[browser]'
	@touch $@

# JupyterLab and the site in headless Chromium; skipped where there is none (K8S_HELPERS_REQUIRE_BROWSER=1: fails).
test-browser: env $(VENV)/.browser
	$(LOTS) browser

test-embedded: env
	$(BIN)/pytest -m 'not kind' --ignore=tests/browser tests embedded/tests

test-kind: env
	K8S_HELPERS_REQUIRE_KIND=1 $(BIN)/pytest -m kind --ignore=tests/browser tests
	K8S_HELPERS_PROVIDER=kind $(BIN)/pytest --nbval --nbval-current-env tests/notebooks/test_structure.py $(NOTEBOOKS)

mutants: env
	$(BIN)/python tests/mutants.py $(MODULE) $(TESTS)

bench: env
	$(BIN)/python -m benchmarks

# The embedded cluster, another revision of it, kwokctl and kind (PEERS="--rounds 3 --without kind" is the short way).
BASELINE ?= HEAD
PEERS ?= --rounds 9
bench-peers: env
	$(BIN)/python -m benchmarks.peers --baseline $(BASELINE) $(PEERS) \
		--page docs/performances.md --figure docs/images/peers.png

# K8S_HELPERS_E2E_KIT names the folder that builds and runs the suite; LIST=… runs other specs than the kit's own list.
conformance: env
	$(BIN)/python -m benchmarks.conformance $(if $(LIST),--list $(LIST))

# A minute for all of them the first time; NAMES="nginx redis" makes those alone.
images:
	@python3 toolchain/images $(NAMES)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

notebooks: env
	$(BIN)/k8s-lab run --save $(NOTEBOOKS)

docs: $(READY)
	$(BIN)/python -m k8s_helpers.cli.fidelity docs/fidelite.md
	$(BIN)/python docs/site/glossary.py

site: $(READY)
	$(BIN)/python -m sphinx -q -W --keep-going -b html -c docs/site -d build/doctrees . build/site
	@echo 'Le site est prêt : build/site/index.html'

clean:
	rm -rf $(VENV) $(VENV)-bootstrap
