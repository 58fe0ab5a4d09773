"""The rules of the house, held by machine: sizes, imports, texts that must agree with one another."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
import yaml

from k8s_helpers import _errors
from k8s_helpers.cli import COMMANDS, fidelity

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "k8s_helpers"
EMBEDDED = ROOT / "embedded" / "embedded_kubernetes"
MODULES = sorted(PACKAGE.rglob("*.py"))
EMBEDDED_MODULES = sorted(EMBEDDED.rglob("*.py"))

MAX_MODULES = 15
"""Of one folder: its parts are seen at a glance."""

VAGUE = {
    "told",
    "one",
    "found",
    "play",
    "scene",
    "show",
    "crowd",
    "setting",
    "utils",
    "helpers",
    "common",
    "misc",
}
"""Words that name no thing of the field."""
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
    "processes.py",
    "node/runtime/namespaces.py",  # tries what cannot be taken back
    "node/runtime/users/id_maps.py",  # newuidmap, from outside of what it maps
    "node/runtime/users/mapped.py",  # becomes a program
    "node/runtime/users/id_answers.py",  # answers beside the spawner
    "node/images/content/unpack.py",  # inflates beside what unpacks
    "node/runtime/spawner.py",  # containers
    "control/supervisor.py",  # forks itself away from the terminal
}
STARTERS = ("fork", "exec", "spawn", "posix_spawn", "system", "popen")

CONDA_NAMES = {
    "kubernetes": "python-kubernetes",
    "matplotlib": "matplotlib-base",
    "prometheus-client": "prometheus_client",
}
"""Packages that conda-forge calls otherwise than PyPI."""


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


FOLDERS = sorted({path.parent for path in MODULES})


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_a_folder_shows_its_parts_at_a_glance(folder: Path) -> None:
    modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MAX_MODULES, modules


def test_modules_and_classes_are_named_by_the_field() -> None:
    words = {path: set(path.stem.strip("_").split("_")) for path in MODULES}
    assert {_name(path): found & VAGUE for path, found in words.items() if found & VAGUE} == {}


def test_no_two_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(_name(path))
    shared = {name: places for name, places in homes.items() if len(places) > 1}
    in_labs = {"Facts", "Who", "What", "Outcome"}  # each lab's own, never met outside it
    assert {
        name: places
        for name, places in shared.items()
        if name not in in_labs or not all(place.startswith("labs/") for place in places)
    } == {}


def test_a_folder_of_the_embedded_cluster_has_few_modules() -> None:
    named = (path for path in EMBEDDED_MODULES if path.name != "__init__.py")
    modules = Counter(path.parent.relative_to(EMBEDDED).as_posix() for path in named)
    assert {folder: count for folder, count in modules.items() if count > MAX_MODULES} == {}


def _imported_of_embedded(path: Path) -> Iterator[str]:
    """Yield the modules of the embedded cluster's distribution that a file imports, without the package's name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(EMBEDDED.name):
            module = EMBEDDED.parent.joinpath(*str(node.module).split("."))
            inside = [module / alias.name for alias in node.names] if module.is_dir() else [module]
            yield from (file.relative_to(EMBEDDED).as_posix().replace("/", ".") for file in inside)


def test_the_course_uses_only_what_the_embedded_cluster_calls_public() -> None:
    readme = (ROOT / "embedded" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (`embedded_kubernetes\.[^|]*)\|", readme, re.MULTILINE)
    public = {
        name for row in rows for name in re.findall(r"`(?:embedded_kubernetes)?\.([\w.]+)`", row)
    }
    files = (*MODULES, *(ROOT / "exercises").rglob("*.py"))
    used = {name for path in files for name in _imported_of_embedded(path)}
    assert used - public == set()
    assert "cluster" in used and len(used) > 10


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
        path.relative_to(EMBEDDED if EMBEDDED in path.parents else PACKAGE).as_posix()
        for path in (*MODULES, *EMBEDDED_MODULES)
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


def test_no_imports_go_in_a_circle() -> None:
    packages = ("k8s_helpers", "embedded_kubernetes")
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=True)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    order = list(graphlib.TopologicalSorter(imports).static_order())
    assert len(order) == len(graph.modules) > 400


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
    files = (ROOT / "pyproject.toml", ROOT / "embedded" / "pyproject.toml")
    project, embedded = (tomllib.loads(file.read_text())["project"] for file in files)
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    have = dict(_requirement(line) for line in conda["dependencies"])
    dependencies = (*project["dependencies"], *embedded["dependencies"])
    need = dict(_requirement(line) for line in dependencies)
    del need[embedded["name"]]  # of this checkout
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
    [
        "README.md",
        "README.en.md",
        "docs/architecture.md",
        "docs/binder.md",
        "hub/README.md",
        "docs/enseigner.md",
        "docs/projet.md",
        "embedded/README.md",
    ],
)
def test_what_a_page_links_to_exists(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


ROOTS = (ROOT, PACKAGE, EMBEDDED, EMBEDDED.parent, ROOT / "docs")


@pytest.mark.parametrize("name", ["architecture", "decisions", "enseigner"])
def test_a_path_that_a_page_names_exists(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    inline = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*\.(?:py|md|sh|json|toml|yaml))`", inline)
    made = {"recordings/kind.json", "out/recording.json"}
    gone = [
        path
        for path in paths
        if path not in made and not any((root / path).exists() for root in ROOTS)
    ]
    assert paths and gone == []


def test_the_variables_that_the_code_reads_are_explained() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    read = {
        variable
        for path in MODULES
        for variable in re.findall(r"K8S_HELPERS_[A-Z_]+[A-Z]", path.read_text("utf-8"))
    }
    assert {variable for variable in read if variable not in page} == set()


@pytest.mark.parametrize("name", ["README.md", "README.en.md"])
def test_the_commands_that_the_readme_shows_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    shown = " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made, called = (
        set(re.findall(pattern, shown))
        for pattern in (r"\bmake ([a-z][a-z-]*)", r"k8s-lab ([a-z][a-z-]*)")
    )
    assert "lab" in made and made <= targets
    assert "up" in called and called <= set(COMMANDS)


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
