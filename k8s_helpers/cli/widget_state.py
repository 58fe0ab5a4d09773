"""The state of widgets in notebooks: what an output shows is kept, and JupyterLab keeps it too.

Source: https://ipywidgets.readthedocs.io/en/stable/embedding.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from embedded_kubernetes.files import write_whole

from .. import _paths

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
_REFERENCE = "IPY_MODEL_"

_SETTINGS = {"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}
"""Without it a panel of a notebook that is opened again is "Error displaying widget: model not found"."""


def keep_shown(notebook: MutableMapping[str, Any]) -> None:
    """Take out of a notebook's metadata each widget model that none of its outputs shows, and the key with the last."""
    kept = notebook["metadata"].get("widgets", {}).get(STATE)
    if kept is None:
        return
    models: dict[str, Any] = kept["state"]
    shown: set[str] = set()
    waiting = list(_views(notebook))
    while waiting:
        name = waiting.pop()
        if name in models and name not in shown:
            shown.add(name)
            waiting += _references(models[name])
    kept["state"] = {name: model for name, model in models.items() if name in shown}
    if not shown:
        del notebook["metadata"]["widgets"]


def _views(notebook: Mapping[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if VIEW in output.get("data", {}):
                yield output["data"][VIEW]["model_id"]


def _references(value: Any) -> Iterator[str]:
    """Yield the models that a model's state refers to."""
    if isinstance(value, str):
        if value.startswith(_REFERENCE):
            yield value.removeprefix(_REFERENCE)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _references(part)


def saved_by_jupyterlab() -> dict[str, str]:
    """Write JupyterLab's settings of the course where it finds them by the variables that are returned."""
    folder = _paths.state_dir() / "jupyter"
    write_settings(folder)
    set_before = os.environ.get("JUPYTER_CONFIG_PATH", "")
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, (str(folder), set_before)))}


def write_settings(folder: Path) -> None:
    """Write JupyterLab's settings of the course in a folder of Jupyter's configuration; a student's own come first.

    Source: https://jupyterlab.readthedocs.io/en/stable/user/directories.html#labconfig-directories
    """
    file = folder / "labconfig" / "default_setting_overrides.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(_SETTINGS))
