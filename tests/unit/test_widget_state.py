"""What a notebook keeps of its widgets: what its outputs show, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from k8s_helpers import panels
from k8s_helpers._paths import COURSE
from k8s_helpers.cli.jupyter import settings, widget_state

NOTEBOOKS = sorted((COURSE / "notebooks").glob("*.ipynb"))


def notebook(*shown: str) -> dict[str, Any]:
    models = {
        "box": {"state": {"children": ["IPY_MODEL_slider"], "layout": "IPY_MODEL_layout"}},
        "slider": {"state": {"style": "IPY_MODEL_style", "value": 3}},
        "layout": {"state": {}},
        "style": {"state": {}},
        "other": {"state": {"layout": "IPY_MODEL_layout"}},
    }
    outputs = [{"data": {widget_state.VIEW: {"model_id": name}}} for name in shown]
    return {
        "cells": [{"cell_type": "code", "outputs": outputs}, {"cell_type": "markdown"}],
        "metadata": {"widgets": {widget_state.STATE: {"state": models, "version_major": 2}}},
    }


def test_what_an_output_shows_is_kept_with_all_that_it_is_made_of() -> None:
    kept = notebook("box")
    widget_state.keep_shown(kept)
    state = kept["metadata"]["widgets"][widget_state.STATE]["state"]
    assert set(state) == {"box", "slider", "layout", "style"}


@pytest.mark.parametrize("shown", [(), ("gone",)])
def test_where_nothing_is_shown_nothing_is_kept(shown: tuple[str, ...]) -> None:
    kept = notebook(*shown)
    widget_state.keep_shown(kept)
    assert kept["metadata"] == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_course_s_notebooks_keep_no_model_that_they_do_not_show(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    before = json.dumps(kept)
    widget_state.keep_shown(kept)
    assert json.dumps(kept) == before


def test_jupyterlab_keeps_the_panels_of_a_notebook_that_is_opened_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from jupyterlab_server.settings_utils import get_settings

    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path))
    monkeypatch.delenv("JUPYTER_CONFIG_PATH", raising=False)
    for name, value in settings.found_by_jupyter().items():
        monkeypatch.setenv(name, value)
    schemas = Path(__import__("sys").prefix) / "share/jupyter/labextensions"
    found, _ = get_settings(  # type: ignore[no-untyped-call, unused-ignore]
        str(tmp_path),
        str(tmp_path),
        str(tmp_path),
        "@jupyter-widgets/jupyterlab-manager:plugin",
        labextensions_path=[str(schemas)],
    )
    assert found["schema"]["properties"]["saveState"]["default"] is True


def test_a_panel_that_moves_is_told_in_html_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_LIVE", "1")
    bundle = panels.probe_timeline()._repr_mimebundle_()
    assert widget_state.VIEW in bundle
    assert "Sonde readiness" in bundle["text/html"] and "<img" in bundle["text/html"]
