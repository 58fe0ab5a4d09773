"""Lanes that go on together: the order of their runs, how far they are, the names of their namespaces."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from k8s_helpers._progress import Silent
from k8s_helpers.measure.measure import Measure, _namespace
from k8s_helpers.measure.recording import Run


def measure() -> Measure:
    cluster: Any = SimpleNamespace(
        provider=SimpleNamespace(kind="embedded"), kubernetes_version="v1.37.0"
    )
    return Measure("probes", cluster, Path(), {}, Silent())


def run(name: str) -> Run:
    return Run(name, "2026-01-01T10:00:00+00:00", 1.0)


def test_runs_that_end_together_come_in_the_order_of_their_acts() -> None:
    made, first_over = measure(), threading.Event()
    made.runs.append(run("before"))

    def slow() -> None:
        first_over.wait()
        made.runs.append(run("slow"))

    def quick() -> None:
        made.runs.append(run("quick"))
        assert [each.name for each in made.recording().runs] == ["before", "quick"]
        first_over.set()

    made.together({"slow": slow, "quick": quick})
    assert [each.name for each in made.recording().runs] == ["before", "slow", "quick"]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("rolling-naive", "rolling-naive"),
        ("Ma variante (2)", "ma-variante-2"),
        ("0.5", "0-5"),
        ("é", "mesure"),
    ],
)
def test_a_namespace_has_the_run_s_name_as_far_as_kubernetes_takes_it(
    name: str, prefix: str
) -> None:
    assert re.fullmatch(rf"{prefix}-[0-9a-f]{{4}}", _namespace(name))
    assert len(_namespace("x" * 99)) <= 63
