"""Controls use the public API of exercises, labs, panels and forecasts; nothing else of the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

CONTROLS = sorted((Path(__file__).parents[2] / "exercises").glob("*/check.py"))
ALLOWED = (
    "k8s_helpers.exercises.controls",
    "k8s_helpers.labs",
    "k8s_helpers.panels",
    "k8s_helpers.forecasts",
)


@pytest.mark.parametrize("path", CONTROLS, ids=lambda path: path.parent.name)
def test_a_control_imports_what_is_public(path: Path) -> None:
    homes = [
        node.module or ""
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    ours = [home for home in homes if home.startswith(("k8s_helpers", "embedded_kubernetes"))]
    assert ours and all(home.startswith(ALLOWED) for home in ours), ours
