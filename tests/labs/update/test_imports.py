"""What `k8s-lab measure update` imports: little of the course, and nothing that draws before a chart is due."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

MOST = 68
"""Modules of the course for a measure: its command, its lab, the embedded provider, clients, recorder, traffic."""
NEEDED = (
    "k8s_helpers.builds.images",
    "k8s_helpers.cli.measures",
    "k8s_helpers.cluster",
    "k8s_helpers.labs.update.experiment",
    "k8s_helpers.providers.embedded",
)


def imported(*modules: str) -> set[str]:
    """Return the modules that a new interpreter has after importing some."""
    return after(f"import sys, {', '.join(modules)}; print(*sys.modules)")


def after(code: str, **environment: str) -> set[str]:
    """Return what a new interpreter prints, cut into words."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return set(done.stdout.split())


def test_a_measure_imports_little_and_nothing_that_draws() -> None:
    names = imported(*NEEDED)
    assert names.isdisjoint({"matplotlib", "numpy", "IPython", "kubernetes", "nbclient"})
    course = {name for name in names if name.split(".")[0] == "k8s_helpers"}
    assert {"k8s_helpers.measure.lane", "k8s_helpers.kube.manifests"} <= course
    assert "k8s_helpers.kube.yaml_faults" not in course  # nothing is wrong with a manifest
    assert len(course) <= MOST, sorted(course)


def test_the_whole_command_imports_at_most_seventy_six_modules(tmp_path: Path) -> None:
    """All that `k8s-lab measure update` has imported once it has measured, summed up and drawn."""
    code = f"""
        import sys, {", ".join((*NEEDED, "k8s_helpers.measure.measure"))}
        from pathlib import Path
        from k8s_helpers import labs
        from k8s_helpers.cli.measures import _write
        _write(labs.kept("update", "kind"), Path({str(tmp_path)!r}))
        print(*sys.modules)
    """
    names = after(dedent(code), MPLBACKEND="agg")
    course = {name for name in names if name.split(".")[0] == "k8s_helpers"}
    assert {"k8s_helpers.labs.update.chart", "k8s_helpers.draw.table"} <= course
    assert len(course) <= 76, sorted(course)


def test_looking_for_the_parts_of_a_lab_imports_none() -> None:
    code = (
        "import sys; from k8s_helpers import labs; labs.get('update').check(); print(*sys.modules)"
    )
    names = after(code)
    assert "k8s_helpers.labs.update.lab" in names
    assert names.isdisjoint({"matplotlib", "k8s_helpers.labs.update.chart"})


@pytest.mark.parametrize("rehearsal", ["0", "1"])
def test_a_live_chart_is_imported_only_where_one_is_drawn(rehearsal: str) -> None:
    code = """
        import sys
        from unittest.mock import MagicMock
        from k8s_helpers import labs
        from k8s_helpers._progress import Silent
        with labs.get("update").open(MagicMock(), Silent(), versions=()):
            print(*sys.modules)
    """
    names = after(dedent(code), K8S_HELPERS_LIVE_REHEARSAL=rehearsal)
    assert ("k8s_helpers.labs.live" in names) == (rehearsal == "1")


def test_another_command_s_modules_are_not_imported() -> None:
    assert imported("k8s_helpers.cli").isdisjoint(
        {"k8s_helpers.cli.bundle", "k8s_helpers.cli.jupyter.notebooks", "k8s_helpers.cli.measures"}
    )
