"""The public names of the package are exactly those that it exports, for people and for type checkers alike."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import k8s_helpers

SOURCE = Path(k8s_helpers.__file__)


def test_every_exported_name_is_there() -> None:
    for name in k8s_helpers.__all__:
        assert getattr(k8s_helpers, name) is not None
        assert name in dir(k8s_helpers)


@pytest.mark.parametrize("name", ["images", "in_pod"])
def test_a_module_is_there_before_anything_else_has_loaded_it(name: str) -> None:
    subprocess.run([sys.executable, "-c", f"from k8s_helpers import {name}"], check=True)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(SOURCE.with_suffix(".pyi").read_text("utf-8"))
    seen = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(seen) == sorted(k8s_helpers.__all__)
    assert (SOURCE.parent / "py.typed").exists()


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        k8s_helpers.no_such_name  # noqa: B018


def test_the_import_is_quick() -> None:
    """Half a second of processor time with the start of Python: a busy machine takes longer by the clock alone."""

    def import_s() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "import k8s_helpers"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(import_s() for _ in range(3)) < 0.5
