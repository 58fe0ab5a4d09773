"""The rules of the house, held by machine: sizes, imports, texts that must agree with one another."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from k8s_helpers import _errors
from k8s_helpers.cli import fidelity, group

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "k8s_helpers"
MODULES = sorted(PACKAGE.rglob("*.py"))

MAX_LINES = 350
HEAVY = (
    "kubernetes",
    "matplotlib",
    "aiohttp",
    "cryptography",
    "nbclient",
    "nbformat",
    "jupyterlab",
)
STARTS_PROCESSES = {
    "_run.py",
    "embedded/node/isolation.py",  # tries what cannot be taken back
    "embedded/node/spawner.py",  # containers
    "embedded/supervisor.py",  # forks itself away from the terminal
}
STARTERS = ("fork", "exec", "spawn", "posix_spawn", "system", "popen")

CONDA_NAMES = {"kubernetes": "python-kubernetes", "matplotlib": "matplotlib-base"}
"""Packages that conda-forge calls otherwise than PyPI."""


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_fits_in_the_head(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def _starts_a_process(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return False
    module, function = call.func.value.id, call.func.attr
    return (
        module in ("subprocess", "multiprocessing")
        or (module == "os" and function.startswith(STARTERS))
        or (module == "asyncio" and function.startswith("create_subprocess"))
    )


def test_processes_are_started_in_few_places() -> None:
    found = {
        _name(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _starts_a_process(node)
    }
    assert found == STARTS_PROCESSES


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_is_light() -> None:
    code = "import sys, k8s_helpers; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY)


def test_the_command_line_is_light() -> None:
    code = (
        "import sys, k8s_helpers.cli; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY)


def _requirement(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*(.*)", text)
    assert match is not None
    return match[1].lower(), match[2].replace(" ", "")


def test_the_conda_environment_has_what_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    have = dict(_requirement(line) for line in conda["dependencies"])
    need = dict(_requirement(line) for line in project["dependencies"])
    expected = {CONDA_NAMES.get(name, name): bounds for name, bounds in need.items()}
    assert {name: have.get(name) for name in expected} == expected
    version = have["python"].lstrip("=")
    lowest = project["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, lowest.split(".")))


def test_binder_uses_the_same_environment() -> None:
    link = ROOT / "binder" / "environment.yml"
    assert link.is_symlink()
    assert link.resolve() == ROOT / "environment.yml"
    for name in ("postBuild", "start"):
        assert (ROOT / "binder" / name).stat().st_mode & 0o111 == 0o111


def _shape(readme: str) -> tuple[list[int], list[str], list[str], list[int]]:
    """Return the levels of headings, the commands, the linked files and the rows of each table."""
    levels = [len(mark) for mark in re.findall(r"^(#+) ", readme, re.MULTILINE)]
    blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    commands = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    links = sorted(set(re.findall(r"\]\(((?!README)[^)]+)\)", readme)))
    tables = [
        len(table.splitlines()) for table in re.findall(r"(?:^\|.*\n)+", readme, re.MULTILINE)
    ]
    return levels, commands, links, tables


def test_both_readmes_say_the_same() -> None:
    french, english = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.en.md"))
    assert _shape(french) == _shape(english)


@pytest.mark.parametrize(
    "name",
    ["README.md", "README.en.md", "docs/architecture.md", "docs/binder.md", "docs/enseigner.md"],
)
def test_what_a_page_links_to_exists(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "README.en.md"])
def test_the_commands_that_the_readme_shows_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    shown = " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", shown)) <= targets
    assert set(re.findall(r"k8s-lab ([a-z]+)", shown)) <= set(group.commands)


def _error_kinds() -> list[type[_errors.K8sHelpersError]]:
    return [
        kind
        for kind in vars(_errors).values()
        if isinstance(kind, type) and issubclass(kind, _errors.K8sHelpersError)
    ]


@pytest.mark.parametrize("name", ["README.md", "README.en.md"])
def test_the_readme_lists_every_exit_code(name: str) -> None:
    text = (ROOT / name).read_text("utf-8").replace("\n", " ")
    sentence = re.search(r"(?:[Ee]xit codes|codes de sortie) (.*?)##", text)
    assert sentence is not None
    listed = {int(code) for code in re.findall(r"\b(\d{1,3}) ", sentence[1])}
    assert {kind.exit_code for kind in _error_kinds()} - {1} <= listed


def test_exit_codes_tell_errors_apart() -> None:
    kinds = _error_kinds()
    assert len({kind.exit_code for kind in kinds}) == len(kinds)


def test_the_fidelity_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "fidelite.md").read_text("utf-8")
    assert written == fidelity.page(fidelity.providers()), "run « make docs »"
