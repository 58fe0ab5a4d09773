"""The state of widgets in notebooks: what an output shows is kept.

Source: https://ipywidgets.readthedocs.io/en/stable/embedding.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
_REFERENCE = "IPY_MODEL_"


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
